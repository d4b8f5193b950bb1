"""The components that a job's configs name: dictionaries with a class ``path`` and constructor ``args``."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from admin.jobs.folder import shown
from fedaid.errors import InputError

MODEL = "model"  # a persistor's argument
LOCAL = '"local:'  # in JSON, the start of the name of a folder below $FEDAID_MODELS


@dataclass(frozen=True)
class Component:
    """One component as a config names it; ``args`` is the config's own dictionary, so that a setting can be changed."""

    label: str
    path: str
    args: dict[str, Any]
    file: Path

    @property
    def is_model(self) -> bool:
        """Whether this is the model that a persistor builds."""
        return self.label.endswith(f".{MODEL}")

    @property
    def needs_local_folder(self) -> bool:
        """Whether this is a model that starts from a folder below ``$FEDAID_MODELS``."""
        return self.is_model and LOCAL in json.dumps(self.args)


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


def load_class(component: Component) -> type:
    """Return the class that the component's path names.

    Raises:
        InputError: the module cannot be imported, or has no such class.
    """
    module, _, name = component.path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(
            f"path of {component.label}",
            "name a class that can be imported",
            got=component.path,
            where=shown(component.file),
            remedy=f"{type(error).__name__}: {error}.",
        ) from error
    if not inspect.isclass(found):
        remedy = "Name a class, as in package.module.Class."
        where = shown(component.file)
        raise InputError(f"path of {component.label}", "name a class", got=component.path, where=where, remedy=remedy)
    return found


def require_arguments(found: type, component: Component) -> None:
    """Refuse an argument that the constructor does not know, and the lack of one that it needs."""
    known, open_ended = accepted_arguments(found)
    unknown = [] if open_ended else [name for name in component.args if name not in known]
    for name in unknown:
        close = get_close_matches(name, known, n=1)
        remedy = f"Did you mean {close[0]}?" if close else f"It takes {', '.join(sorted(known)) or 'nothing'}."
        where = f"{component.label} in {shown(component.file)}"
        raise InputError("setting", f"be one that {found.__name__} takes", got=name, where=where, remedy=remedy)
    missing = [name for name in required_arguments(found) if name not in component.args]
    if missing:
        where = f"{component.label} in {shown(component.file)}"
        rule = f"be given to {found.__name__}"
        raise InputError(missing[0], rule, got="nothing", where=where, remedy="Add it to args.")


def accepted_arguments(found: type) -> tuple[set[str], bool]:
    """Return the names that a constructor takes, and whether it takes any name at all.

    A constructor with ``**kwargs`` passes them to the next class, so the names of that class count too.
    """
    owners = [owner for owner in found.__mro__[:-1] if "__init__" in vars(owner)]
    names: set[str] = set()
    for owner in owners:
        parameters = inspect.signature(owner).parameters.values()
        names |= {parameter.name for parameter in parameters if parameter.kind in NAMED}
        if all(parameter.kind is not inspect.Parameter.VAR_KEYWORD for parameter in parameters):
            return names, False
    return names, bool(owners)


NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def required_arguments(found: type) -> list[str]:
    """Return the arguments without a default."""
    parameters = inspect.signature(found).parameters.values() if accepted_arguments(found)[0] else ()
    return [p.name for p in parameters if p.kind in NAMED and p.default is inspect.Parameter.empty]


def build(found: type, component: Component) -> object:
    """Return an instance, made from the component's settings as FLARE would make it; a model has been built on its own.

    Raises:
        InputError: the constructor refused a value.
    """
    try:
        return found(**{name: built_argument(name, value, component) for name, value in component.args.items()})
    except InputError:
        raise
    except Exception as error:  # whatever a constructor raises is a refusal of its settings
        where = shown(component.file)
        got = f"{type(error).__name__}: {error}"
        remedy = "Correct its args."
        raise InputError(component.label, "accept its settings", got=got, where=where, remedy=remedy) from error


def built_argument(name: str, value: Any, component: Component) -> Any:
    """Return an argument's value, constructed if it is a component itself."""
    if name == MODEL or not isinstance(value, dict) or not isinstance(value.get("path"), str):
        return value
    nested = Component(f"{component.label}.{name}", value["path"], value.get("args", {}), component.file)
    return build(load_class(nested), nested)
