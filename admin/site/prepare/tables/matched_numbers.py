"""Prepares the numbers of films and reports for pairing: several in one cell, rounded ones, missing zeros."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from admin.site.prepare.imaged_study import ImagedStudy
from admin.site.prepare.quarantine import Bad
from admin.site.prepare.records import Record
from admin.site.prepare.tables.near_matches import accession_hints, match_without_zeros, patient_hints
from admin.site.prepare.tables.several_numbers import with_single_numbers
from admin.site.prepare.tables.spreadsheet_numbers import without_rounded
from fedaid.data.pseudonym import Pseudonyms


class MatchedNumbers(NamedTuple):
    """Studies and reports that can be paired, and what a person should know.

    Attributes:
        studies: the studies.
        records: the reports, one accession number each.
        hints: why numbers do not match, one sentence a reason.
        divided: reports that named several accession numbers.
        unclear: reports whose accession number is a range or an abbreviated list; they are not in ``records``.
    """

    studies: Sequence[ImagedStudy]
    records: Sequence[Record]
    hints: tuple[str, ...]
    divided: int
    unclear: Sequence[Bad]


def matched_numbers(
    studies: Sequence[ImagedStudy], records: Sequence[Record], names: Pseudonyms, *, zeros: bool
) -> MatchedNumbers:
    """Return the studies and reports for pairing.

    Args:
        studies: the studies of the images.
        records: the reports.
        names: the site's pseudonyms.
        zeros: whether numbers match that differ in leading zeros only.

    Raises:
        InputError: if two numbers would become equal without leading zeros.
    """
    known = frozenset[str]().union(*(study.keys for study in studies))
    exact, numbers, patients = without_rounded(records, known, names)
    lost = {"accession numbers": numbers, "patients": patients}
    hints = [
        f"{count} {what} have lost digits, such as 2.02E+15. Export the column as text."
        for what, count in lost.items() if count
    ]  # fmt: skip
    single = with_single_numbers(exact, known, names)
    if zeros:
        films, reports = match_without_zeros(studies, single.records, names)
        return MatchedNumbers(films, reports, tuple(hints), single.divided, single.unclear)
    hints += [*accession_hints(studies, single.records, names), *patient_hints(studies, single.records, names)]
    return MatchedNumbers(studies, single.records, tuple(hints), single.divided, single.unclear)
