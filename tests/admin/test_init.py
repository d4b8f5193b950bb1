from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_importing_admin_makes_fedaid_importable_and_comes_last_on_the_path() -> None:
    code = "import admin, fedaid, sys; print(sys.path[-1]); import admin.twin; print(sys.path.count(sys.path[-1]))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(ROOT / "custom"), "1"]
