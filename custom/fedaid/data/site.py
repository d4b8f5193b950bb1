"""A site's data folder. The site sets it, never a job."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from fedaid.errors import InputError, closest

VARIABLE = "FEDAID_DATA"
FILE_NAME = "fedaid_site.json"
PLACEHOLDER = "{site}"
_KEYS = ("data_root",)


def data_root(site: str, config_dir: Path, environ: Mapping[str, str]) -> Path:
    """Return the folder of this site's manifest. The environment variable wins over the site's settings file.

    A job comes from outside and must not choose which folder of a hospital is read.

    Args:
        site: the site's name; it replaces ``{site}`` in the setting.
        config_dir: the folder of the site's settings file.
        environ: the environment of the process.

    Returns:
        An absolute path. :func:`fedaid.data.manifest.read_manifest` checks that it exists.

    Raises:
        InputError: if the folder is not set, or the setting is invalid.
    """
    setting = environ.get(VARIABLE, "").strip()
    if setting:
        return _absolute(setting, site, where=f"environment variable {VARIABLE} of site {site!r}")
    file = config_dir / FILE_NAME
    where = f"{FILE_NAME} of site {site!r}"
    if not file.is_file():
        raise InputError(
            "data_root",
            f"be set by the environment variable {VARIABLE} or in {FILE_NAME}",
            got="neither",
            where=f"site {site!r}",
            remedy=f"Export {VARIABLE}=/absolute/folder, or write "
            f'{{"data_root": "/absolute/folder"}} to local/{FILE_NAME} in the kit.',
        )
    return _absolute(_from_file(file, where), site, where=where)


def _from_file(file: Path, where: str) -> str:
    """The value of data_root in the site's settings file; another key is an error."""
    try:
        settings = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        _refuse(FILE_NAME, "be a readable JSON file in UTF-8", "something else", where)
    if not isinstance(settings, dict):
        _refuse(FILE_NAME, "hold one JSON object", f"a {type(settings).__name__}", where)
    for key in settings:
        if key not in _KEYS:
            hint = closest(key, list(_KEYS))
            raise InputError(FILE_NAME, "hold known keys only", got=repr(key), where=where, remedy=hint)
    value = settings.get("data_root")
    if not isinstance(value, str) or not value.strip():
        _refuse("data_root", "be a path as text", "nothing" if not value else f"a {type(value).__name__}", where)
    return value.strip()


def _absolute(setting: str, site: str, *, where: str) -> Path:
    """The path of a setting with the site's name filled in."""
    if PLACEHOLDER in setting and (not site or site in (".", "..") or "/" in site or "\\" in site or "\0" in site):
        _refuse("the site's name", f"be a single folder's name where {PLACEHOLDER} stands for it", repr(site), where)
    path = Path(setting.replace(PLACEHOLDER, site))
    if "\0" in setting or not path.is_absolute():
        _refuse("data_root", "be an absolute path", "another", where)
    return path


def _refuse(name: str, rule: str, got: str, where: str) -> NoReturn:
    """Raise the error for an invalid setting."""
    raise InputError(name, rule, got=got, where=where, remedy='Write {"data_root": "/absolute/folder"}, or correct it.')
