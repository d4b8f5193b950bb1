"""What software the lead's machine had when the kits were made; each kit has it in a file, to compare with."""

from __future__ import annotations

import platform
from pathlib import Path

from admin.federation.kit_settings import write_json
from fedaid.flare.software.software_report import software_report

SOFTWARE_FILE = "fedaid_software.json"  # in local/ of a kit
PYTHON = "python"


def software_here() -> dict[str, str]:
    """Return the version of Python, the hash of this checkout's code, the packages' versions, the vocabulary's hash."""
    return {PYTHON: platform.python_version(), **software_report()}


def state_software(kits: Path) -> None:
    """Write what this machine has into every kit of a folder."""
    software = software_here()
    for kit in kits.iterdir():
        if (kit / "local").is_dir():
            write_json(kit / "local" / SOFTWARE_FILE, dict(software))
