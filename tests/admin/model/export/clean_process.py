"""A process that cannot import this project."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ABSENT = "import importlib.util as u, sys; assert not [n for n in ('fedaid', 'admin', 'tests') if u.find_spec(n)]; "


def run_clean(code: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs Python code in a folder, without this project on its path and without a network.

    Args:
        code: run after a check that ``fedaid`` cannot be found.
        arguments: ``sys.argv[1:]``.
        folder: the working folder.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FEDAID"))}
    return subprocess.run(
        [sys.executable, "-P", "-c", ABSENT + code, *arguments],
        cwd=folder,
        env=kept | {"HF_HUB_OFFLINE": "1", "no_proxy": "*"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def run_module(module: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """``python -m MODULE`` in such a process."""
    return run_clean(f"import runpy; runpy.run_module({module!r}, run_name='__main__')", *arguments, folder=folder)
