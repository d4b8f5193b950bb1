"""The components that a job's configs name: dictionaries with a class ``path`` and constructor ``args``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MODEL = "model"  # a persistor's argument
LOCAL = '"local:'  # an encoder's folder below the server's $FEDAID_MODELS


@dataclass(frozen=True)
class Component:
    """One component as a config names it; ``args`` is the config's own dictionary, so that a setting can be changed."""

    label: str
    path: str
    args: dict[str, Any]
    file: Path

    @property
    def needs_the_server(self) -> bool:
        """Whether only the server can build this: a model that starts from a folder which lies there."""
        return self.label.endswith(f".{MODEL}") and LOCAL in json.dumps(self.args)


def components(config: dict[str, Any], file: Path) -> Iterator[Component]:
    """Yield every component of one config, a parent before the components among its arguments.

    A component's label is its ``id``, else the name of its class; one that is an argument is labelled PARENT.ARGUMENT.
    """
    for value in config.values():
        yield from below(value, file, label=None)


def below(node: object, file: Path, *, label: str | None) -> Iterator[Component]:
    """Yield the components at and below ``node``."""
    if isinstance(node, list):
        for entry in node:
            yield from below(entry, file, label=None)
    elif isinstance(node, dict) and isinstance(node.get("path"), str) and node.get("disabled") is not True:
        own = label or str(node.get("id") or node["path"].rpartition(".")[2])
        args = node.setdefault("args", {})
        yield Component(own, node["path"], args, file)
        for name, value in args.items():
            if isinstance(value, dict):
                yield from below(value, file, label=f"{own}.{name}")
    elif isinstance(node, dict):
        for value in node.values():
            yield from below(value, file, label=None)
