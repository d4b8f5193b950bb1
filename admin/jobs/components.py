"""The components in a job's configs: JSON objects with a class ``path`` and the constructor's ``args``."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from admin.jobs.folder import path_in_job
from fedaid.errors import InputError

MODEL = "model"  # a persistor's argument
LOCAL = '"local:'  # in JSON, the start of the name of a folder below $FEDAID_MODELS
NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True)
class Component:
    """One component of a config; ``args`` is the config's own dictionary, so a change to it changes the config."""

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
    """Yield every component of one config, each before the components among its arguments.

    A component's label is its ``id``, or the name of its class if it has no ``id``. A component that is an argument has
    the label PARENT.ARGUMENT.
    """
    for value in config.values():
        yield from components_below(value, file, label=None)


def components_below(node: object, file: Path, *, label: str | None) -> Iterator[Component]:
    """Yield the component that ``node`` is, if it is one, and those inside it."""
    if isinstance(node, list):
        for entry in node:
            yield from components_below(entry, file, label=None)
    elif isinstance(node, dict) and isinstance(node.get("path"), str) and node.get("disabled") is not True:
        own = label or str(node.get("id") or node["path"].rpartition(".")[2])
        args = node.setdefault("args", {})
        yield Component(own, node["path"], args, file)
        for name, value in args.items():
            if isinstance(value, dict):
                yield from components_below(value, file, label=f"{own}.{name}")
    elif isinstance(node, dict):
        for value in node.values():
            yield from components_below(value, file, label=None)


def load_class(component: Component) -> type:
    """Return the class that the component's path names.

    Raises:
        InputError: the module cannot be imported, or does not have the class.
    """
    module, _, name = component.path.rpartition(".")
    try:
        kind = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(
            f"path of {component.label}",
            "name a class that can be imported",
            got=component.path,
            where=path_in_job(component.file),
            remedy=f"{type(error).__name__}: {error}.",
        ) from error
    if not inspect.isclass(kind):
        where, remedy = path_in_job(component.file), "Name a class, as in package.module.Class."
        raise InputError(f"path of {component.label}", "name a class", got=component.path, where=where, remedy=remedy)
    return kind


def require_arguments(kind: type, component: Component) -> None:
    """Refuse an argument that the constructor does not accept, and a missing one that it requires."""
    where = f"{component.label} in {path_in_job(component.file)}"
    known, open_ended = accepted_arguments(kind)
    unknown = [] if open_ended else [name for name in component.args if name not in known]
    for name in unknown:
        close = get_close_matches(name, known, n=1)
        remedy = f"Did you mean {close[0]}?" if close else f"It takes {', '.join(sorted(known)) or 'nothing'}."
        raise InputError("setting", f"be one that {kind.__name__} takes", got=name, where=where, remedy=remedy)
    missing = [name for name in required_arguments(kind) if name not in component.args]
    if missing:
        rule = f"be among the arguments of {kind.__name__}"
        raise InputError(missing[0], rule, got=sorted(component.args), where=where, remedy="Add it to args.")


def accepted_arguments(kind: type) -> tuple[set[str], bool]:
    """Return the argument names that a constructor accepts, and whether it accepts every name.

    A constructor with ``**kwargs`` passes them to the next class, so the names of that class count too.
    """
    owners = [owner for owner in kind.__mro__[:-1] if "__init__" in vars(owner)]
    names: set[str] = set()
    for owner in owners:
        parameters = inspect.signature(owner).parameters.values()
        names |= {parameter.name for parameter in parameters if parameter.kind in NAMED}
        if all(parameter.kind is not inspect.Parameter.VAR_KEYWORD for parameter in parameters):
            return names, False
    return names, bool(owners)


def required_arguments(kind: type) -> list[str]:
    """Return the arguments without a default."""
    parameters = inspect.signature(kind).parameters.values() if accepted_arguments(kind)[0] else ()
    return [p.name for p in parameters if p.kind in NAMED and p.default is inspect.Parameter.empty]


def construct(kind: type, component: Component) -> object:
    """Return an instance, constructed from the component's settings as FLARE does it.

    A model among the arguments stays a dictionary: the server's persistor takes it so, and the model is a component
    of its own in :func:`components`.

    Raises:
        InputError: the constructor refuses a value.
    """
    try:
        return kind(**{name: constructed_argument(name, value, component) for name, value in component.args.items()})
    except InputError:
        raise
    except Exception as error:  # any exception of a constructor means that it refuses its settings
        where, got, remedy = path_in_job(component.file), f"{type(error).__name__}: {error}", "Correct its args."
        raise InputError(component.label, "accept its settings", got=got, where=where, remedy=remedy) from error


def constructed_argument(name: str, value: Any, component: Component) -> Any:
    """Return an argument's value; a component is constructed."""
    if name == MODEL or not isinstance(value, dict) or not isinstance(value.get("path"), str):
        return value
    nested = Component(f"{component.label}.{name}", value["path"], value.get("args", {}), component.file)
    return construct(load_class(nested), nested)
