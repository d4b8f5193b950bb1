"""A job folder's own files: where its configs lie, strict JSON, and which names and links are refused."""

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
        InputError: it cannot be read, is not UTF-8 JSON, is not an object, or has a key twice.
    """
    remedy = "Correct the file; jobs/*/ has working ones."
    try:
        content = json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=without_repeats)
    except (OSError, ValueError) as error:
        got = str(error) if isinstance(error, ValueError) else type(error).__name__
        raise InputError("job file", "be readable JSON", got=got, where=str(file), remedy=remedy) from error
    if not isinstance(content, dict):
        raise InputError("job file", "be an object", got=type(content).__name__, where=str(file), remedy=remedy)
    return content


def without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the pairs as a dictionary; of a repeated key JSON readers silently keep the last."""
    content = dict(pairs)
    if len(content) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} twice")
    return content


def write_object(file: Path, content: dict[str, Any]) -> None:
    """Write ``content`` as JSON that a person can read."""
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def shown(file: Path) -> str:
    """Return a job file's path from its job's folder on, as a message shows it."""
    return "/".join(file.parts[-2:] if file.name == META else file.parts[-4:])


def config_files(job: Path) -> list[Path]:
    """Return the config files of every app that the job's meta.json deploys, server's first.

    Raises:
        InputError: meta.json deploys no app, or an app has no config.
    """
    meta = job / META
    apps = read_object(meta).get("deploy_map")
    if not isinstance(apps, dict) or not apps:
        raise InputError("deploy_map", "name an app", got=apps, where=str(meta), remedy='Write {"app": ["@ALL"]}.')
    files = [job / app / "config" / name for app in apps for name in CONFIGS]
    found = [file for file in files if file.is_file()]
    for app in apps:
        has = any(file.parent.parent.name == app for file in found)
        require(has, "app", "have a config", got="none", where=str(job / app), remedy=f"Add config/{CONFIGS[0]}.")
    return found


def require_plain_files(folder: Path) -> None:
    """Refuse a folder that is empty, or holds a symbolic link or a name that FLARE refuses.

    A link to a folder is shipped empty, silently.
    """
    paths = sorted(folder.rglob("*"))
    require(bool(paths), "job", "be a folder", got="none or empty", where=str(folder), remedy="Package it first.")
    for path in paths:
        where = str(path)
        remedy = "Put a copy in its place."
        require(not path.is_symlink(), "job", "hold no symbolic link", got="one", where=where, remedy=remedy)
        remedy = "Use letters, digits, dots, underscores and hyphens."
        require(bool(NAME.fullmatch(path.name)), "file name", "be plain", got=path.name, where=where, remedy=remedy)


def require_job_name(name: str) -> None:
    """Refuse a job folder name that FLARE's server would refuse."""
    require(
        bool(JOB_NAME.fullmatch(name)),
        "job name",
        "be letters, digits, dots, underscores and hyphens",
        got=repr(name),
        where="the job folder",
        remedy="Rename it, as in fedaid_pretrain.",
    )
