"""Checks of the folders where a server or a site keeps jobs, snapshots and runs."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from admin.federation.kit_settings import RUN_CHECK
from admin.federation.kits.startup_kit import RESOURCES, SERVER, START_SCRIPT, StartupKit, read_object, section
from admin.session.kit_check import OWN_STORE, SHARED_STORE
from admin.site.doctor.doctor_check import ERROR, NOTE, WARNING
from admin.site.kit.kit_finding import MACHINES, ExaminedKit, KitCheck, Place
from fedaid.errors import InputError
from fedaid.flare.store.run_folder import FILE_NAME, FOLDER, PLACEHOLDER, VARIABLE, from_file

TEMPORARY = (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"), Path("/run"))  # noqa: S108


def job_folders(examined: ExaminedKit) -> list[tuple[str, Path]]:
    """Return setting → folder of the server's jobs and snapshots, as they are once the kit has been started.

    The first start of a kit of ``provision`` moves FLARE's shared folder into the kit.
    """
    content = read_object(examined.kit.setting_file(RESOURCES))
    arguments: dict[str, Any] = section(content, "snapshot_persistor")
    for name in ("args", "storage", "args"):
        arguments = section(arguments, name)
    jobs = [section(one, "args").get("uri_root") for one in examined.kit.components if one.get("id") == "job_manager"]
    file = examined.place(examined.kit.setting_file(RESOURCES), "").where
    found = {
        "snapshot_persistor root_dir": arguments.get("root_dir"),
        "job_manager uri_root": jobs[0] if jobs else None,
    }
    named = [(f"{file}, {name}", value) for name, value in found.items() if isinstance(value, str) and value]
    inside = str(examined.kit.folder / OWN_STORE) if moves_its_store(examined.kit) else SHARED_STORE
    return [(setting, Path(value.replace(SHARED_STORE, inside))) for setting, value in named]


def moves_its_store(kit: StartupKit) -> bool:
    """Whether the start of a server's kit will write settings with a job store in the kit."""
    script = kit.startup / START_SCRIPT
    starts_so = script.is_file() and RUN_CHECK in script.read_text(encoding="utf-8", errors="replace")
    return starts_so and not (kit.local / RESOURCES).exists()


def run_store(examined: ExaminedKit) -> tuple[str, Path]:
    """Return where the folder of the runs is set, and the folder.

    Raises:
        InputError: the setting is invalid.
    """
    kit = examined.kit
    given = examined.environ.get(VARIABLE, "").strip().replace(PLACEHOLDER, kit.name)
    if given:
        return f"environment variable {VARIABLE}", Path(given)
    set_here = from_file(kit.local / FILE_NAME)
    return (f"local/{FILE_NAME}", Path(set_here)) if set_here else (FOLDER, kit.folder / FOLDER)


def folders(examined: ExaminedKit) -> list[tuple[str, Path]]:
    """Return setting → folder, of everything that outlasts a job."""
    jobs = job_folders(examined) if examined.kit.kind == SERVER else []
    try:
        return [*jobs, run_store(examined)]
    except InputError:
        return jobs


def is_temporary(folder: Path) -> bool:
    """Whether the system may delete the folder's content."""
    return any(folder.resolve().is_relative_to(one.resolve()) for one in TEMPORARY)


def temporary(examined: ExaminedKit) -> Iterator[Place]:
    """Find folders that the system may empty; a folder in the kit is where the kit is."""
    for setting, folder in folders(examined):
        if is_temporary(folder) and not folder.is_relative_to(examined.kit.folder):
            yield Place(setting, str(folder))


def temporary_kit(examined: ExaminedKit) -> Iterator[Place]:
    """State that the kit itself lies in a temporary folder, as in a trial."""
    if is_temporary(examined.kit.folder):
        yield Place("kit", str(examined.kit.folder))


def unwritable(examined: ExaminedKit) -> Iterator[Place]:
    """Find folders in which nothing can be written, or that cannot be made."""
    for setting, folder in folders(examined):
        present = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
        if not folder.is_absolute():
            yield Place(setting, f"{folder}, not an absolute path")
        elif not present.is_dir():
            yield Place(setting, f"{folder}: {present} is a file")
        elif not os.access(present, os.W_OK | os.X_OK):
            yield Place(setting, f"{folder}: {present} cannot be written to")


def readable(examined: ExaminedKit) -> Iterator[Place]:
    """Find folders with jobs and models that others on this machine can read."""
    for setting, folder in folders(examined):
        mode = stat.S_IMODE(folder.stat().st_mode) if folder.is_dir() else 0
        if mode & 0o077:
            yield Place(setting, f"{folder}, mode {mode:04o}")


def invalid_run_store(examined: ExaminedKit) -> Iterator[Place]:
    """Find a setting of the run store that no process could use."""
    try:
        run_store(examined)
    except InputError as error:
        yield examined.place(examined.kit.local / FILE_NAME, error)


STORAGE_CHECKS = (
    KitCheck(
        "storage-temporary",
        "A store lies in a temporary folder, which the system empties and all servers of the machine share",
        "Set a folder of the server's own: docs/provisioned.md, section 3.",
        ERROR,
        temporary,
        MACHINES,
    ),
    KitCheck(
        "storage-not-writable",
        "A store cannot be written to",
        "Make the folder, and give it to the user who starts the kit.",
        ERROR,
        unwritable,
        MACHINES,
    ),
    KitCheck(
        "storage-readable",
        "Others on this machine can read a store",
        "Run chmod 700 on the folder.",
        WARNING,
        readable,
        MACHINES,
    ),
    KitCheck(
        "run-store-invalid",
        "The setting of the run store is invalid",
        "Correct or remove it.",
        ERROR,
        invalid_run_store,
        MACHINES,
    ),
    KitCheck(
        "kit-temporary",
        "The kit lies in a temporary folder",
        "Nothing in a trial; else move the kit.",
        NOTE,
        temporary_kit,
    ),
)
