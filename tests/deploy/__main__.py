"""``python -m tests.deploy [NAME ...]``: deployed federations, their kits and intruders; build/bench/deploy.json.

What one gave is kept in build/bench/deploy, so that a run
which was stopped continues with the next series; ``--again`` measures anew.
"""

from __future__ import annotations

import sys

from tests.deploy.catalogue import DEPLOY
from tests.deploy.submitted_job import wait_longer

if __name__ == "__main__":
    wait_longer()
    sys.exit(DEPLOY.main(__doc__))
