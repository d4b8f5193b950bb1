"""Finds numbers whose digits a spreadsheet lost: "2.02E+15", and numbers that it rounded to fifteen digits."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from admin.site.prepare.imaged_study import key
from admin.site.prepare.records import Record
from fedaid.data.pseudonym import Pseudonyms

_SCIENTIFIC = re.compile(r"[+-]?\d(?:[.,]\d*)?[eE][+]?\d{1,3}")
_KEPT, _ENOUGH = 15, 6
"""Digits that a spreadsheet keeps, and zeros after them that are no chance."""


def is_scientific(identifier: str) -> bool:
    """Whether an identifier is a number with an exponent: "2.02E+15" or "2,02E+15"."""
    return _SCIENTIFIC.fullmatch(identifier.strip()) is not None and (
        "+" in identifier or "." in identifier or "," in identifier
    )


def rounded(identifiers: Collection[str]) -> frozenset[str]:
    """Return the identifiers whose digits are lost. Long numbers count if all of them end in zeros.

    Args:
        identifiers: of one column, each once.
    """
    long = [one for one in identifiers if one.isascii() and one.isdigit() and len(one) > _KEPT]
    zeros = all(set(one[_KEPT:]) == {"0"} for one in long)
    enough = len(long) > 1 and sum(len(one) - _KEPT for one in long) >= _ENOUGH
    return frozenset(one for one in identifiers if is_scientific(one)) | frozenset(long if zeros and enough else ())


def without_rounded(
    records: Sequence[Record], known: Collection[str], names: Pseudonyms
) -> tuple[list[Record], int, int]:
    """Return the records without rounded numbers, and how many accession numbers and patients were rounded.

    A rounded number would match a wrong study or join two patients. If most films do have such numbers, they are not
    rounded.

    Args:
        records: the reports.
        known: hashes of the numbers of all films.
        names: the site's pseudonyms.
    """
    numbers = rounded({number for record in records for kind, number in record.keys if kind == "accession"})
    if numbers and 2 * sum(key("accession", number, names) in known for number in numbers) > len(numbers):
        numbers = frozenset()
    patients = rounded({record.patient for record in records if record.patient and not record.images})
    if not (numbers or patients):
        return list(records), 0, 0
    clean = [
        replace(
            record,
            keys=tuple((kind, number) for kind, number in record.keys if kind != "accession" or number not in numbers),
            patient="" if record.patient in patients else record.patient,
        )
        for record in records
    ]
    changed = [(old, new) for old, new in zip(records, clean, strict=True)]
    lost = sum(old.keys != new.keys for old, new in changed)
    return clean, lost, sum(old.patient != new.patient for old, new in changed)
