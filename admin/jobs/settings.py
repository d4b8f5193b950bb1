"""A job's settings by name: read them, and change them without editing a config by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from admin.jobs.components import components
from admin.jobs.folder import META, config_files, path_in_job, read_object, write_object
from fedaid.errors import InputError, require
from fedaid.training.settings import TrainingSettings

SHARED = frozenset({"min_clients"})  # has one meaning in every file: setting it sets every place
KINDS: dict[str, tuple[type, ...]] = {
    "true or false": (bool,),
    "a number": (int, float),
    "a text": (str,),
    "a list": (list, tuple),
    "an object": (dict,),
}


@dataclass(frozen=True)
class Place:
    """Where a setting is: one key of one config; ``holder[key]`` is the value."""

    label: str
    key: str
    holder: dict[str, Any]
    file: Path

    @property
    def name(self) -> str:
        """The qualified name, ID.NAME."""
        return f"{self.label}.{self.key}"


def change_settings(job: Path, settings: Mapping[str, object]) -> None:
    """Write the settings into the job's configs.

    Args:
        job: the job folder; its files are rewritten.
        settings: name → value. A name is NAME, or ID.NAME with the id of a component.

    Raises:
        InputError: a name is unknown or ambiguous, or a value has another kind than the one that it replaces.
    """
    contents = {file: read_object(file) for file in (job / META, *config_files(job))}
    known = places(contents)
    for name, value in settings.items():
        for place in places_named(name, known, where=job.name):
            require_same_kind(place, value)
            place.holder[place.key] = value
    for file, content in contents.items() if settings else ():
        write_object(file, content)


def settable(job: Path) -> dict[str, object]:
    """Return the present value of every setting of a job, by qualified name."""
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
    got = f"{len(config_files(job))} configs without one"
    raise InputError("job", "have a persistor with a model", got=got, where=job.name, remedy="Package it again.")


def typed_settings(pairs: Sequence[str], present: Mapping[str, object]) -> dict[str, object]:
    """Return settings that were typed as ``NAME=VALUE``.

    A value is read as JSON. It stays text if it is not JSON, or if the setting's present value is text.

    Args:
        pairs: as typed.
        present: the present values, from :func:`settable`.
    """
    settings: dict[str, object] = {}
    for pair in pairs:
        name, sign, text = pair.partition("=")
        remedy = "Write --set num_rounds=5."
        require(bool(sign and name), "--set", "be NAME=VALUE", got=pair, where="the command line", remedy=remedy)
        values = [value for known, value in present.items() if name in (known, known.rpartition(".")[2])]
        is_text = any(isinstance(value, str) for value in values) and not text.startswith("{")
        settings[name] = text if is_text else json_or_text(text)
    return settings


def json_or_text(text: str) -> object:
    """Return the JSON value of ``text``, or the text itself if it is not JSON."""
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value


def places(contents: Mapping[Path, dict[str, Any]]) -> list[Place]:
    """Return every place that can be set: the constructor arguments, and ``min_clients`` of meta.json."""
    found = []
    for file, content in contents.items():
        if file.name == META:
            found.append(Place("meta", "min_clients", content, file))
            continue
        for component in components(content, file):
            found += [Place(component.label, key, component.args, file) for key in component.args]
    return [place for place in found if place.key in place.holder and not is_component(place.holder[place.key])]


def is_component(value: object) -> bool:
    """Return whether an argument is a component: then its own arguments can be set, not the argument."""
    return isinstance(value, dict) and "path" in value


def places_named(name: str, known: list[Place], *, where: str) -> list[Place]:
    """Return the places that ``name`` sets: one, or several for a name in :data:`SHARED` or in two apps.

    A job that brings a model has an app for the sites and one for the server, with the same settings of the sites.
    """
    found = [place for place in known if name in (place.name, place.key)]
    if not found:
        names = sorted({place.key for place in known} | {place.name for place in known})
        close = get_close_matches(name, names, n=1)
        guess = f"Did you mean {close[0]}? " if close else ""
        remedy = f"{guess}Settable: {', '.join(sorted({place.key for place in known}))}."
        raise InputError("setting", "be one of the job's", got=name, where=where, remedy=remedy)
    one = len({(place.name, repr(place.holder[place.key])) for place in found}) == 1
    if not one and name not in SHARED:
        remedy = f"Write one of {', '.join(place.name for place in found)}."
        raise InputError("setting", "be unambiguous", got=name, where=where, remedy=remedy)
    return found


def require_same_kind(place: Place, value: object) -> None:
    """Refuse a value of another kind than the present one, such as text in place of a number.

    ``null`` fits everywhere. A name may become an object with a name and options.
    """
    present = place.holder[place.key]
    adds_options = isinstance(present, str) and isinstance(value, dict) and "name" in value
    if present is None or value is None or adds_options or kind_of(present) == kind_of(value):
        return
    rule, remedy = f"be {kind_of(present)}", f"It is {present!r} now."
    raise InputError(place.name, rule, got=repr(value), where=path_in_job(place.file), remedy=remedy)


def kind_of(value: object) -> str:
    """Return the name in :data:`KINDS` of a JSON value's kind; true and false are not numbers."""
    return next((name for name, types in KINDS.items() if isinstance(value, types)), type(value).__name__)
