"""What a fault is planted in: the kits of a consortium, a site's data, and the environment."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from admin.federation.kits.signed_files import sign_kit
from tests.admin.federation.made_certificates import Made

SITE = "hospital-north"
VERDICT = Path("doctor") / "shareable" / "doctor.json"


@dataclass
class World:
    """The folder of all kits, the site's data folder, the environment of the start, the consortium's authority.

    What a fault starts goes onto the stack ``ends``.
    """

    kits: Path
    data: Path
    environ: dict[str, str]
    authority: Made
    ends: ExitStack

    @property
    def site(self) -> Path:
        return self.kits / SITE

    @property
    def server(self) -> Path:
        return self.kits / "fl-server"

    @property
    def lead(self) -> Path:
        return self.kits / "lead@consortium.org"

    def sign(self) -> None:
        """The lead signs the kits as they are now."""
        for kit in self.kits.iterdir():
            sign_kit(kit, self.authority.key)


def change(file: Path, edit: Callable[[Any], object]) -> None:
    """Edit the object in a JSON file."""
    content = json.loads(file.read_text())
    edit(content)
    file.write_text(json.dumps(content))


def connect_to(kit: Path, port: int, host: str = "127.0.0.1") -> None:
    """Let a kit connect to another server."""
    site, person = (kit / "startup" / f"fed_{name}.json" for name in ("client", "admin"))
    if site.is_file():
        change(site, lambda found: found["servers"][0]["service"].update(target=f"{host}:{port}"))
    else:
        change(person, lambda found: found["admin"].update(host=host, port=port))


def data_folder(folder: Path, **verdict: str) -> Path:
    """A prepared site's data folder whose doctor has found ``verdict``: name of the check → severity."""
    folder.mkdir(exist_ok=True)
    (folder / "manifest.csv").write_text("study_id,patient_id,image,report,image_row\n")
    result = folder / VERDICT
    result.parent.mkdir(parents=True, exist_ok=True)
    checks = [{"name": name.replace("_", "-"), "severity": kind, "fired": True} for name, kind in verdict.items()]
    result.write_text(json.dumps({"checks": [*checks, {"name": "other", "severity": "error", "fired": False}]}))
    os.utime(folder / "manifest.csv", (1, 1))
    return folder
