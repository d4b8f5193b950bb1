"""The files of a job folder: its configs, read as strict JSON, and the names and links that are refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from fedaid.errors import InputError, require

META = "meta.json"
CONFIGS = ("config_fed_server.json", "config_fed_client.json")
NAME = re.compile(r"[A-Za-z0-9._-]+")
JOB_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def read_object(file: Path) -> dict[str, Any]:
    """Return the JSON object in ``file``.

    Raises:
        InputError: the file cannot be read, is not UTF-8 JSON, is not an object, or has a key twice.
    """
    remedy = "Correct the file; jobs/*/ has examples."
    try:
        content = json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=without_repeats)
    except (OSError, ValueError) as error:
        got = str(error) if isinstance(error, ValueError) else type(error).__name__
        raise InputError("job file", "be readable JSON", got=got, where=str(file), remedy=remedy) from error
    if not isinstance(content, dict):
        raise InputError("job file", "be an object", got=type(content).__name__, where=str(file), remedy=remedy)
    return content


def without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the pairs as a dictionary; refuse a repeated key, of which JSON readers silently keep the last value."""
    content = dict(pairs)
    if len(content) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} twice")
    return content


def write_object(file: Path, content: dict[str, Any]) -> None:
    """Write ``content`` as indented JSON."""
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def path_in_job(file: Path) -> str:
    """Return a job file's path from the job's folder on, for a message."""
    return "/".join(file.parts[-2:] if file.name == META else file.parts[-4:])


def config_files(job: Path) -> list[Path]:
    """Return the config files of every app that the job's meta.json deploys; the server's config comes first.

    Raises:
        InputError: meta.json deploys no app, or an app has no config file.
    """
    meta = job / META
    apps = read_object(meta).get("deploy_map")
    if not isinstance(apps, dict) or not apps:
        raise InputError("deploy_map", "name an app", got=apps, where=str(meta), remedy='Write {"app": ["@ALL"]}.')
    files = [job / app / "config" / name for app in apps for name in CONFIGS]
    found = [file for file in files if file.is_file()]
    for app in apps:
        has = any(file.parent.parent.name == app for file in found)
        remedy = f"Add config/{CONFIGS[0]}."
        require(has, "app", "have a config file", got=app, where=str(job / app), remedy=remedy)
    return found


def require_plain_files(folder: Path) -> None:
    """Refuse a folder that is absent or empty, or holds a symbolic link or a name that FLARE refuses.

    FLARE ships a link to a folder as an empty folder, without a message.
    """
    paths, remedy = sorted(folder.rglob("*")), "Package the job first."
    require(bool(paths), "job", "be a folder with files", got=folder.name, where=str(folder), remedy=remedy)
    for path in paths:
        link, remedy = path.is_symlink(), "Put a copy in its place."
        require(not link, "job", "hold no symbolic link", got=path.name, where=str(path), remedy=remedy)
        plain, remedy = bool(NAME.fullmatch(path.name)), "Rename the file."
        rule = "be letters, digits, dots, underscores and hyphens"
        require(plain, "file name", rule, got=repr(path.name), where=str(path), remedy=remedy)


def require_job_name(name: str) -> None:
    """Refuse the name of a job's folder if FLARE's server would refuse it."""
    require(
        bool(JOB_NAME.fullmatch(name)),
        "job name",
        "be letters, digits, dots, underscores and hyphens",
        got=repr(name),
        where="the job folder",
        remedy="Rename it, as in fedaid_pretrain.",
    )
