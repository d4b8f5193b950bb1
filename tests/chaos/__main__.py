"""``python -m tests.chaos [NAME ...]``: inject faults of every kind; build/bench/chaos.json.

What one gave is kept in build/bench/chaos, so that a run
which was stopped continues with the next series; ``--again`` measures anew.
"""

from __future__ import annotations

import sys

from tests.chaos.catalogue import CHAOS

if __name__ == "__main__":
    sys.exit(CHAOS.main(__doc__))
