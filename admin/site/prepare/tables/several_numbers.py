"""Divides a cell with several accession numbers: one report for two orders belongs to both studies.

A cell that is itself the number of a film is never divided. A range such as "A1-A3" is not divided, because which
numbers lie in it is a guess.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import NamedTuple

from admin.site.prepare.imaged_study import key
from admin.site.prepare.quarantine import Bad
from admin.site.prepare.records import Record
from fedaid.data.pseudonym import Pseudonyms
from fedaid.data.spelling import plain

_CLEAR = re.compile(r"[,;&+|\\\r\n]+")
_UNCLEAR = re.compile(r"[\s/]+|\b(?:and|und|et|y|e|en|ou|oder|or)\b", re.IGNORECASE)
"""Also occur within a single number."""
_DIGIT = re.compile(r"\d")


class SingleNumbers(NamedTuple):
    """Records with one accession number each, the number of reports that had several, and those with unclear lists."""

    records: list[Record]
    divided: int
    unclear: list[Bad]


def with_single_numbers(records: Iterable[Record], known: Collection[str], names: Pseudonyms) -> SingleNumbers:
    """Return the records with one accession number each.

    Args:
        records: the reports. One with several numbers is followed by its copies.
        known: hashes of the numbers of all films.
        names: the site's pseudonyms.
    """
    single: list[Record] = []
    divided, unclear = 0, list[Bad]()
    for record in records:
        cells = [cell for kind, cell in record.keys if kind == "accession"]
        numbers = numbers_of(cells[0], known, names) if len(cells) == 1 else cells
        if len(numbers) <= 1 or len(cells) > 1:
            if len(cells) == 1 and _is_list(cells[0], known, names):
                unclear.append(Bad("number-list", record.name))
            else:
                single.append(record)
            continue
        divided += 1
        others = tuple(one for one in record.keys if one[0] != "accession")
        for place, number in enumerate(numbers, start=1):
            name = f"{record.name}, number {place} of {len(numbers)}"
            single.append(replace(record, keys=(("accession", number), *others), name=name))
    return SingleNumbers(single, divided, unclear)


def _is_list(cell: str, known: Collection[str], names: Pseudonyms) -> bool:
    """Whether a cell is no film's number but begins with one: a range, or an abbreviated list."""
    first, *more = re.split(r"[^\w.]+", cell.strip())
    return (
        bool(more and more[-1])
        and key("accession", cell, names) not in known
        and key("accession", first, names) in known
    )


def numbers_of(cell: str, known: Collection[str], names: Pseudonyms) -> list[str]:
    """Return the accession numbers of a cell, each once: its parts, if they can be nothing else, or the whole cell."""
    if key("accession", cell, names) in known:
        return [cell]
    parts = [part for one in _parts(_CLEAR, cell) for part in _unclear(one, known, names)]
    return list(dict.fromkeys(parts)) if parts and _alike(parts) else [cell]


def _unclear(cell: str, known: Collection[str], names: Pseudonyms) -> list[str]:
    """Return the parts between blanks or slashes, if every part is a film's number or all look like "AB0012"."""
    parts = _parts(_UNCLEAR, cell)
    films = all(key("accession", part, names) in known for part in parts)
    shapes = {re.sub(r"[^\W\d_]", "a", _DIGIT.sub("0", plain(part))) for part in parts}
    same = len(shapes) == 1 and "a" in next(iter(shapes)) and next(iter(shapes)).count("0") > 2
    return parts if len(parts) > 1 and (films or same) else [cell]


def _parts(separator: re.Pattern[str], cell: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in separator.split(cell) if part.strip()))


def _alike(parts: list[str]) -> bool:
    """Whether all parts have a digit and about the same length, so that none is an abbreviation: "A0012, 13"."""
    lengths = [len(plain(part)) for part in parts]
    return all(map(_DIGIT.search, parts)) and 2 * min(lengths) >= max(lengths)
