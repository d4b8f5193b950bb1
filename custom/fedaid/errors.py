"""The one shape in which a refusal is worded, so that every message says what, where and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

Settings = TypeVar("Settings")


class InputError(ValueError):
    """A setting or a file that a person gave is not usable.

    The text reads ``{name} must {rule}, got {got}: {where}. {remedy}``. It never holds patient data: give the manifest
    line, not the row; the setting, not the path below a patient's folder.

    Args:
        name: the setting, column or file kind at fault.
        rule: what it must do or be, without the word "must".
        got: the offending value, or a description of it.
        where: the file and line, the site, or the argument list it came from.
        remedy: one sentence that says what to do.
    """

    def __init__(self, name: str, rule: str, *, got: object, where: str, remedy: str) -> None:
        super().__init__(f"{name} must {rule}, got {got}: {where}. {remedy}")


def require(condition: bool, name: str, rule: str, *, got: object, where: str, remedy: str) -> None:
    """Raise :class:`InputError` unless ``condition`` holds."""
    if not condition:
        raise InputError(name, rule, got=got, where=where, remedy=remedy)


def closest(name: str, known: list[str]) -> str:
    """A remedy for a name that is not known: the nearest known one, or all of them."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]}?" if near else f"Choose one of {', '.join(known)}."


def settings_from(kind: type[Settings], given: Mapping[str, Any], *, where: str) -> Settings:
    """A settings dataclass made from what a job gives.

    Raises:
        InputError: for a name that is not one of its fields.
    """
    settings: Settings = split_settings((kind,), given, where=where)[0]
    return settings


def split_settings(kinds: Sequence[type], given: Mapping[str, Any], *, where: str) -> list[Any]:
    """Several settings dataclasses made from what a job gives in one list; no two have a field of the same name.

    Raises:
        InputError: for a name that is a field of none.
    """
    names = [[field.name for field in fields(kind)] for kind in kinds]
    known = [name for own in names for name in own]
    for name in given:
        require(name in known, "argument", "be a known setting", got=name, where=where, remedy=closest(name, known))
    return [kind(**{n: given[n] for n in own if n in given}) for kind, own in zip(kinds, names, strict=True)]
