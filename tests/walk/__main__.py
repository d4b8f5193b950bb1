"""``python -m tests.walk FOLDER`` takes the walk and prints its substitutions, each command and what it did."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.walk.walk import walked

if __name__ == "__main__":
    with walked(Path(sys.argv[1]).resolve()) as outcomes:
        sys.exit(1 if any(outcome.wrong for outcome in outcomes.values()) else 0)
