"""Pairs reports and studies, only where the match is unambiguous.

A study and a report are linked if they share a key of one kind: an accession number, a StudyInstanceUID or a file
stem. They are a pair if neither has another link. A wrong pair is worse than a missing one, so nothing is guessed.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

Keys = Collection[str]
ENDINGS = (".dcm", ".dicom", ".png", ".jpg", ".jpeg", ".txt", ".text", ".rpt", ".hl7")


@dataclass(frozen=True)
class Pairing:
    """The pairs, study → report, and the reason for each study and report without a pair; all by number."""

    pairs: Mapping[int, int]
    studies_left: Mapping[int, str]
    reports_left: Mapping[int, str]


def pair(studies: Sequence[Keys], reports: Sequence[Keys]) -> Pairing:
    """Return the pairs of studies and reports.

    Args:
        studies: the keys of each study, of any kind. Keys are compared as text.
        reports: the keys of each report.
    """
    holders: defaultdict[str, tuple[int, ...]] = defaultdict(tuple)
    for number, keys in enumerate(reports):
        for key in keys:
            holders[key] += (number,)
    of_study = [tuple({report for key in keys for report in holders.get(key, ())}) for keys in studies]
    of_report: list[tuple[int, ...]] = [()] * len(reports)
    for study, linked in enumerate(of_study):
        for report in linked:
            of_report[report] += (study,)
    pairs = {
        study: report for study, linked in enumerate(of_study) if len(linked) == 1
        for report in linked if len(of_report[report]) == 1
    }  # fmt: skip
    taken = set(pairs.values())
    return Pairing(
        pairs=pairs,
        studies_left={n: _why(linked, "pair-no-report") for n, linked in enumerate(of_study) if n not in pairs},
        reports_left={n: _why(linked, "pair-no-image") for n, linked in enumerate(of_report) if n not in taken},
    )


def _why(linked: tuple[int, ...], lonely: str) -> str:
    return "pair-ambiguous" if linked else lonely


def stem(name: str) -> str:
    """Return a file's name without folders and known endings. The last number of a UID is not an ending."""
    path = PurePosixPath(name.replace("\\", "/"))
    return path.stem if path.suffix.lower() in ENDINGS else path.name


def normal(identifier: str) -> str:
    """Return an identifier for comparison: NFKC, lower case, without white space and zero bytes."""
    return "".join(unicodedata.normalize("NFKC", identifier).replace("\0", "").casefold().split())
