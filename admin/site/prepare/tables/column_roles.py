"""Finds what each column of a table is, by its name or as the command line says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from admin.site.prepare.tables.column_names import HALF, KEYS, NAMES, ORDERS, ROLES, WORDED, squeezed
from fedaid.data.report.scrub import scrub
from fedaid.data.tables.table_fault import TableFault
from fedaid.errors import closest, require

Roles = Mapping[str, tuple[str, ...]]
"""Role → its columns, the preferred one first."""

_DATA = re.compile(r"\d{4}|[\r\n]|.{41}", re.DOTALL)
_SHOWN = 30


def named_columns(given: Iterable[str]) -> dict[str, str]:
    """Return role → column, from arguments such as "accession=Accession No.".

    Raises:
        InputError: for an unknown role, an argument without a name, or a role that is given twice.
    """
    named: dict[str, str] = {}
    for one in given:
        role, sign, column = one.partition("=")
        where, rule = "the command line", "be ROLE=NAME"
        sound = bool(sign and column.strip())
        remedy = f'Write --column {role if role in ROLES else "accession"}="Name of the column".'
        require(sound, "--column", rule, got=one, where=where, remedy=remedy)
        rule = f"name one of {', '.join(ROLES)}"
        require(role in ROLES, "--column", rule, got=role, where=where, remedy=closest(role, list(ROLES)))
        require(
            role not in named, "--column", "be given once a role", got=role, where=where, remedy="Choose one column."
        )
        named[role] = column.strip()
    return named


def roles_of(columns: Sequence[str], named: Mapping[str, str]) -> Roles:
    """Return the roles of a table's columns. A column that is named by hand has no other role."""
    of_name: dict[str, list[str]] = {}
    for column in columns:
        if squeezed(column) not in {squeezed(name) for name in named.values()}:
            of_name.setdefault(squeezed(column), []).append(column)
    roles: dict[str, tuple[str, ...]] = {}
    for role, names in NAMES.items():
        found = tuple(column for name in names for column in of_name.get(name, ()))
        roles |= {role: found} if found else {}
    if "accession" not in roles and (orders := [one for name in ORDERS for one in of_name.get(name, ())]):
        roles["accession"] = tuple(orders[:1])
    roles |= {
        role: tuple(column for column in columns if squeezed(column) == squeezed(name)) for role, name in named.items()
    }
    half = tuple(column for name in HALF for column in of_name.get(name, ()))
    role = "findings" if "impression" in roles or "report" in roles else "report"
    return roles | ({role: half} if half and role not in roles else {})


def column_faults(columns: Sequence[str], named: Mapping[str, str], *, read_as: str) -> list[TableFault]:
    """Return why a table cannot be used as a table of reports: what was named and is absent, no key, no report.

    Args:
        columns: its header.
        named: role → column, as the command line says.
        read_as: the encoding and the separator, for the message.
    """
    roles = roles_of(columns, named)
    absent = [name for role, name in named.items() if not roles[role]]
    rules = [f"have the column {name!r} that --column names" for name in absent]
    rules += [] if any(roles.get(role) for role in KEYS) else ["have a column with a key"]
    rules += [] if any(roles.get(role) for role in WORDED) else ["have a column with the report"]
    got = f"{shown_columns(columns)}, read as {read_as}"
    return [TableFault("header", rule, got, _remedy(roles)) for rule in rules]


def shown_columns(columns: Sequence[str]) -> str:
    """Return the columns of a header for a message. A first row that looks like data is not quoted."""
    if not any(columns):
        return "no columns"
    if any(looks_like_data(column) for column in columns):
        return f"a first row of {len(columns)} cells that looks like data, not like names of columns"
    if len(columns) == 1 and any(sign in columns[0] for sign in ",;\t|"):
        return "whole rows in quotes, as one column"
    more = f" and {len(columns) - _SHOWN} more" if len(columns) > _SHOWN else ""
    return f"the columns {', '.join(map(repr, columns[:_SHOWN]))}{more}"


def looks_like_data(cell: str) -> bool:
    """Whether a cell of a header is long, holds a number of four digits, or something that the scrubber replaces."""
    return bool(_DATA.search(cell) or scrub(cell).counts)


def _remedy(roles: Roles) -> str:
    """Return what to do about columns that are not known."""
    lacking = [role for role in ("accession", "report") if not roles.get(role)]
    example = " ".join(f'--column {role}="Name of the column"' for role in lacking or ["accession"])
    groups = [group for group in (KEYS, WORDED) if not any(roles.get(role) for role in group)] or [KEYS]
    known = "; ".join(f"{role}: {', '.join(NAMES[role][:4])}" for group in groups for role in group)
    return f"Say which column it is: {example}. Names that are known, among others: {known}. See docs/data.md."
