"""The reasons why a table cannot be used, in one message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fedaid.errors import InputError


class TableFault(NamedTuple):
    """One reason, as the parts of an :class:`InputError`; `place` is a line, a row or the header."""

    place: str
    rule: str
    got: object
    remedy: str


def refusal(name: str, faults: Sequence[TableFault]) -> InputError:
    """Return the error for all faults of a table.

    Args:
        name: of the file.
        faults: at least one.
    """
    places = ", ".join(dict.fromkeys(fault.place for fault in faults))
    return InputError(
        name,
        " and ".join(dict.fromkeys(fault.rule for fault in faults)),
        got=", ".join(dict.fromkeys(str(fault.got) for fault in faults)),
        where=f"{name}, {places}",
        remedy=" ".join(dict.fromkeys(fault.remedy for fault in faults)),
    )
