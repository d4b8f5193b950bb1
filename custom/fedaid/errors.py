"""The form of all error messages: what is wrong, where it is, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

Settings = TypeVar("Settings")


class InputError(ValueError):
    """A setting or a file of a person is invalid.

    The text reads ``{name} must {rule}, got {got}: {where}. {remedy}``. It never holds patient data: give the manifest
    line, not the row; the setting, not the path below a patient's folder.

    Args:
        name: the invalid setting, column or kind of file.
        rule: what it must be or do, without the word "must".
        got: the invalid value, or a description of it.
        where: the file and line, the site, or the argument list that it comes from.
        remedy: one sentence that says what to do.
    """

    def __init__(self, name: str, rule: str, *, got: object, where: str, remedy: str) -> None:
        super().__init__(f"{name} must {rule}, got {got}: {where}. {remedy}")


class NotYet(InputError):
    """What is refused now may be accepted later without a change, such as a job while one of its sites is away.

    Args:
        sites: the sites that are away.
    """

    def __init__(self, name: str, rule: str, *, sites: Sequence[str] = (), **parts: Any) -> None:
        super().__init__(name, rule, **parts)
        self.sites = tuple(sites)


def require(condition: bool, name: str, rule: str, *, got: object, where: str, remedy: str) -> None:
    """Raise :class:`InputError` unless ``condition`` holds."""
    if not condition:
        raise InputError(name, rule, got=got, where=where, remedy=remedy)


def closest(name: str, known: list[str]) -> str:
    """A remedy for an unknown name: the closest known name, or all of them."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]}?" if near else f"Choose one of {', '.join(known)}."


def settings_from(kind: type[Settings], given: Mapping[str, Any], *, where: str) -> Settings:
    """A settings dataclass from the arguments of a job.

    Raises:
        InputError: for an argument that is not a field.
    """
    settings: Settings = split_settings((kind,), given, where=where)[0]
    return settings


def split_settings(kinds: Sequence[type], given: Mapping[str, Any], *, where: str) -> list[Any]:
    """Several settings dataclasses from one mapping of a job's arguments; no two have a field of the same name.

    Raises:
        InputError: for an argument that is a field of none of them.
    """
    names = [[field.name for field in fields(kind)] for kind in kinds]
    known = [name for own in names for name in own]
    for name in given:
        require(name in known, "argument", "be a known setting", got=name, where=where, remedy=closest(name, known))
    return [kind(**{n: given[n] for n in own if n in given}) for kind, own in zip(kinds, names, strict=True)]
