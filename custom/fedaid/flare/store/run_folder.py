"""Where a run is kept between jobs: a folder of this machine's own, by the run's name, outside every FLARE workspace.

FLARE moves or deletes a job's folder at its end, and a job that is submitted again has another one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from fedaid.errors import InputError, closest, require

VARIABLE, PLACEHOLDER = "FEDAID_RUN_STORE", "{site}"
FILE_NAME, KEY = "fedaid_server.json", "run_store"
FOLDER = "fedaid_runs"  # in the startup kit
RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
REMEDY = f'Write {{"{KEY}": "/absolute/folder"}} to local/{FILE_NAME} in the kit, or leave it out.'


def is_run_name(name: object) -> bool:
    """Whether this can be the name of a run and of its folder."""
    return isinstance(name, str) and bool(RUN_NAME.fullmatch(name))


def run_folder(run_name: str, kit: Path, config_dir: Path, environ: Mapping[str, str], *, machine: str) -> Path:
    """The folder of a run on this machine, made if absent; only its owner can read it (mode 0700).

    The folder of all runs is, in this order: the environment variable FEDAID_RUN_STORE, ``run_store`` in the server's
    ``local/fedaid_server.json``, ``fedaid_runs`` in the startup kit. A job can choose the name only.

    Args:
        run_name: of the run.
        kit: root of the machine's startup kit.
        config_dir: the kit's folder ``local``.
        environ: of the process.
        machine: ``server`` or the site's name; it replaces ``{site}`` in the variable.

    Raises:
        InputError: if the setting is invalid, or ``run_name`` is not a folder's name.
    """
    rule, remedy = "be letters, digits, dots, underscores and hyphens", "Package the job with another --run-name."
    require(is_run_name(run_name), "run_name", rule, got=repr(run_name), where="the job", remedy=remedy)
    setting = environ.get(VARIABLE, "").strip().replace(PLACEHOLDER, machine) or from_file(config_dir / FILE_NAME)
    runs = Path(setting) if setting else kit / FOLDER
    where = f"environment or {FILE_NAME} of {machine}"
    require(runs.is_absolute(), KEY, "be an absolute path", got="a relative one", where=where, remedy=REMEDY)
    require_lasting(runs, kit, config_dir, where=where)
    folder = runs / run_name
    runs.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def require_lasting(runs: Path, kit: Path, config_dir: Path, *, where: str) -> None:
    """Refuse a run store in a kit that a launcher of containers made for this job only.

    There the kit is in memory, and the machine's ``local`` is mounted into it: another file system.
    """
    inside = runs == kit / FOLDER and kit.is_dir() and config_dir.is_dir()
    lasting = not inside or kit.stat().st_dev == config_dir.stat().st_dev
    remedy = f"Mount a folder into the job's container, and set {VARIABLE} to it (docs/launchers.md)."
    require(lasting, KEY, "outlive the job", got="a kit in memory", where=where, remedy=remedy)


def from_file(file: Path) -> str:
    """The value of ``run_store`` in the server's settings file; empty if there is no file.

    Raises:
        InputError: for a file that is not such an object, or an unknown key.
    """
    if not file.is_file():
        return ""
    try:
        settings = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        got = type(error).__name__
        raise InputError(FILE_NAME, "be readable JSON in UTF-8", got=got, where=str(file), remedy=REMEDY) from error
    kind = type(settings).__name__
    require(isinstance(settings, dict), FILE_NAME, "be a JSON object", got=kind, where=str(file), remedy=REMEDY)
    for key in settings:
        hint = closest(key, [KEY])
        require(key == KEY, FILE_NAME, "hold known keys only", got=repr(key), where=str(file), remedy=hint)
    value = settings.get(KEY, "")
    require(isinstance(value, str), KEY, "be a path as text", got=repr(value), where=str(file), remedy=REMEDY)
    return str(value).strip()
