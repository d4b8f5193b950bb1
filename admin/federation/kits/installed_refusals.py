"""Puts our components about refusals into the kits of the server and of sites that refuse code."""

from __future__ import annotations

import shutil
from pathlib import Path

from admin.federation import refusals
from admin.federation.kit_settings import write_json

PACKAGE = "refusals"
AT_SERVER = f"{PACKAGE}__p_resources.json"  # FLARE's parent process reads every file with this ending
IN_JOBS = f"{PACKAGE}__j_resources.json"  # the processes of jobs read this one
SERVER_COMPONENTS = (
    {"id": "refused_handshakes", "path": f"{PACKAGE}.refused_handshakes.RefusedHandshakes", "args": {}},
    {"id": "admission", "path": f"{PACKAGE}.admission.Admission", "args": {}},
)
JOB_COMPONENTS = ({"id": "refused_classes", "path": f"{PACKAGE}.refused_classes.RefusedClasses", "args": {}},)


def install_refusals(server_kit: Path) -> None:
    """Let the server log refused connections, and refuse persons as sites and sites as persons."""
    copy_package(server_kit)
    write_json(server_kit / "local" / AT_SERVER, {"components": list(SERVER_COMPONENTS)})


def name_refused_classes(kit: Path) -> None:
    """Let a server or site that builds listed classes only name in its log the class that it refuses."""
    copy_package(kit)
    write_json(kit / "local" / IN_JOBS, {"components": list(JOB_COMPONENTS)})


def copy_package(kit: Path) -> None:
    """Copy the modules into the kit, where FLARE imports them."""
    folder = kit / "local" / "custom" / PACKAGE
    source = Path(refusals.__file__).parent
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
