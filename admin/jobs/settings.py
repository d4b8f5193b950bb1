"""Change a job's settings by name, so that nobody edits a packaged config by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from admin.jobs.components import components
from admin.jobs.folder import META, config_files, read_object, shown, write_object
from fedaid.errors import InputError, require
from fedaid.training.settings import TrainingSettings

EVERYWHERE = frozenset({"min_clients"})  # means the same wherever it stands: setting it sets every place
KINDS: dict[str, tuple[type, ...]] = {
    "true or false": (bool,),
    "a number": (int, float),
    "a text": (str,),
    "a list": (list, tuple),
    "an object": (dict,),
}


@dataclass(frozen=True)
class Place:
    """One key of one config; ``holder[key]`` is its value."""

    label: str
    key: str
    holder: dict[str, Any]
    file: Path

    @property
    def name(self) -> str:
        """The qualified name."""
        return f"{self.label}.{self.key}"


def change_settings(job: Path, settings: Mapping[str, object]) -> None:
    """Write the settings into the job's configs.

    Args:
        job: the job folder; its files are rewritten.
        settings: name to value; a name is NAME or ID.NAME with the id of a component.

    Raises:
        InputError: a name is unknown or ambiguous, or a value is of another kind than the one it replaces.
    """
    contents = {file: read_object(file) for file in (job / META, *config_files(job))}
    known = places(contents)
    for name, value in settings.items():
        for place in meant(name, known, where=job.name):
            require_same_kind(place, value)
            place.holder[place.key] = value
    for file, content in contents.items() if settings else ():
        write_object(file, content)


def settable(job: Path) -> dict[str, object]:
    """Return every setting of a job by qualified name, with its present value."""
    contents = {file: read_object(file) for file in (job / META, *config_files(job))}
    return {place.name: place.holder[place.key] for place in places(contents)}


def values_by_name(job: Path) -> dict[str, Any]:
    """Return the present values of a job's settings by plain name; if two settings share a name, the last one wins."""
    return {name.rpartition(".")[2]: value for name, value in settable(job).items()}


def training_settings(job: Path) -> TrainingSettings:
    """Return the settings of the job's local training."""
    values = values_by_name(job)
    names = [field.name for field in fields(TrainingSettings)]
    return TrainingSettings(**{name: values[name] for name in names if name in values})


def model_configuration(job: Path) -> dict[str, Any]:
    """Return the constructor arguments of the job's model.

    Raises:
        InputError: the job has no model.
    """
    for file in config_files(job):
        for component in components(read_object(file), file):
            if component.is_model:
                return component.args
    raise InputError("job", "have a persistor with a model", got="none", where=job.name, remedy="Package it again.")


def from_text(pairs: Sequence[str], present: Mapping[str, object]) -> dict[str, object]:
    """Return settings written as ``NAME=VALUE``: the value as JSON, or as text where it is none or text stands now.

    Args:
        pairs: as typed.
        present: the present values, from :func:`settable`.
    """
    settings: dict[str, object] = {}
    for pair in pairs:
        name, sign, text = pair.partition("=")
        remedy = "Write --set num_rounds=5."
        require(bool(sign and name), "--set", "be NAME=VALUE", got=pair, where="the command line", remedy=remedy)
        stands = [value for known, value in present.items() if name in (known, known.rpartition(".")[2])]
        literal = any(isinstance(value, str) for value in stands) and not text.startswith("{")
        settings[name] = text if literal else json_or_text(text)
    return settings


def json_or_text(text: str) -> object:
    """Return the JSON value that ``text`` is, else the text."""
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value


def places(contents: Mapping[Path, dict[str, Any]]) -> list[Place]:
    """Return every key that can be set: constructor arguments, and the meta file's min_clients."""
    found = []
    for file, content in contents.items():
        if file.name == META:
            found.append(Place("meta", "min_clients", content, file))
            continue
        for component in components(content, file):
            found += [Place(component.label, key, component.args, file) for key in component.args]
    return [place for place in found if place.key in place.holder and not is_component(place.holder[place.key])]


def is_component(value: object) -> bool:
    """Return whether an argument is a component, whose own arguments can be set, rather than a value."""
    return isinstance(value, dict) and "path" in value


def meant(name: str, known: list[Place], *, where: str) -> list[Place]:
    """Return the places that ``name`` sets: one, or several where it means the same everywhere."""
    found = [place for place in known if name in (place.name, place.key)]
    if not found:
        names = sorted({place.key for place in known} | {place.name for place in known})
        close = get_close_matches(name, names, n=1)
        guess = f"did you mean {close[0]}? " if close else ""
        remedy = f"{guess[:1].upper()}{guess[1:]}Settable: {', '.join(sorted({place.key for place in known}))}."
        raise InputError("setting", "be one that the job has", got=name, where=where, remedy=remedy)
    if len(found) > 1 and name not in EVERYWHERE:
        choices = ", ".join(place.name for place in found)
        remedy = f"Write one of {choices}."
        raise InputError("setting", "say which one it means", got=name, where=where, remedy=remedy)
    return found


def require_same_kind(place: Place, value: object) -> None:
    """Refuse a word where a number stands, and the like; null fits, and a name may become a name with options."""
    present = place.holder[place.key]
    named = isinstance(present, str) and isinstance(value, dict) and "name" in value
    if present is None or value is None or named or kind(present) == kind(value):
        return
    raise InputError(
        place.name,
        f"be {kind(present)}",
        got=repr(value),
        where=shown(place.file),
        remedy=f"It is {present!r} now.",
    )


def kind(value: object) -> str:
    """Return which of KINDS a JSON value is; a bool is no number."""
    return next((name for name, types in KINDS.items() if isinstance(value, types)), type(value).__name__)
