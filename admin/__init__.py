"""What a person runs: package, submit, monitor, provision, doctor, report, and the digital twin.

A command here needs ``fedaid``, which lives in ``custom/`` because that folder is what a job ships. It is appended, as
FLARE appends ``app/custom`` at a site, so that an installed package can never be shadowed.
"""

from __future__ import annotations

import sys
from pathlib import Path

_CUSTOM = str(Path(__file__).resolve().parent.parent / "custom")
if _CUSTOM not in sys.path:
    sys.path.append(_CUSTOM)
