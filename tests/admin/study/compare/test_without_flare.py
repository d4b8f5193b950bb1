from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import admin.study.compare

ROOT = Path(admin.study.compare.__file__).parents[3]
LIST = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(*(name for name in sys.modules if name.split(".")[0] == "nvflare"))
"""


def test_the_comparison_loads_no_flare() -> None:
    folder = Path(admin.study.compare.__file__).parent
    modules = [f"admin.study.compare.{file.stem}" for file in folder.glob("*.py") if file.stem != "__init__"]
    assert len(modules) >= 8
    path = {"PYTHONPATH": f"{ROOT / 'custom'}:{ROOT}"}
    done = subprocess.run([sys.executable, "-c", LIST, *modules], env=path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
