"""The one shape in which a refusal is worded, so that every message says what, where and what to do."""

from __future__ import annotations


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
