"""The values that a job's components take for settings that the job does not state."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

OURS = "fedaid."


def setting_defaults(files: Iterable[Path]) -> dict[str, Any]:
    """The default of each setting of our components, by the path that ``run.json`` has for it.

    A later version of this software may state a new setting in its jobs. At its default it changes nothing, so a run
    that was started before can continue.

    Args:
        files: configs of the job; those that do not exist are left out.
    """
    present = (file for file in files if file.is_file())
    return {path: value for file in present for path, value in defaults_in(json.loads(file.read_text()), file.stem)}


def defaults_in(content: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The defaults of every component in a part of a config."""
    if isinstance(content, Mapping) and str(content.get("path")).startswith(OURS):
        yield from ((f"{path}.args.{name}", value) for name, value in defaults_of(str(content["path"])))
    for name, part in parts_of(content):
        yield from defaults_in(part, f"{path}.{name}")


def parts_of(content: Any) -> Iterator[tuple[str, Any]]:
    """The parts of a mapping or list by their names in a path; an entry of a list has its ``id`` or number."""
    if isinstance(content, Mapping):
        yield from sorted(content.items())
    elif isinstance(content, list):
        for number, part in enumerate(content):
            named = part.get("id") if isinstance(part, Mapping) else None
            yield str(named or number), part


def defaults_of(kind: str) -> Iterator[tuple[str, Any]]:
    """The arguments of a class that have a default, and the defaults as JSON has them; none for an unknown class."""
    module, _, name = kind.rpartition(".")
    try:
        parameters = inspect.signature(getattr(importlib.import_module(module), name)).parameters
    except (ImportError, AttributeError, TypeError, ValueError):
        return
    for argument, parameter in parameters.items():
        if parameter.default is not parameter.empty:
            value = parameter.default
            yield argument, list(value) if isinstance(value, tuple) else value
