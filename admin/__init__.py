"""What a person runs: package, submit, monitor, provision, doctor, report, and the digital twin.

A command here needs ``fedaid``, which lives in ``custom/`` because that folder is what a job ships, and
``hospital_policy``, which lives in ``policy/`` because a hospital installs it. Both are appended, as FLARE appends
``app/custom`` at a site, so that an installed package can never be shadowed.
"""

from __future__ import annotations

import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
for _folder in (str(_ROOT / "policy"), str(_ROOT / "custom")):
    if _folder not in sys.path:
        sys.path.append(_folder)
