"""The quarantine: the list of unusable files, each with a code and a remedy. It stays at the site."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from fedaid.atomic_file import private_file
from fedaid.data.unusable import REMEDIES as FILE_REMEDIES

REMEDIES: Mapping[str, str] = MappingProxyType(
    dict(FILE_REMEDIES)
    | {
        "pair-no-report": "Add the report of this study under its accession number, StudyInstanceUID or file stem.",
        "pair-no-image": "Add the image of this report, or leave the report out.",
        "pair-ambiguous": "Give each study one report, or its versions a status (preliminary, final, corrected).",
        "pair-conflict": "Correct the export: image and report, or images of one study, differ in patient or number.",
        "number-list": "Write each accession number in full, separated by commas: a range or abbreviation is not read.",
        "patient-conflict": "Correct the export: the image and its report name different patients.",
        "image-conflict": "Export the study again: two of its files carry one SOPInstanceUID and differ.",
        "image-letters": "Mask the letters in the picture and export it again, or leave the film out.",
        "view-unclear": "State the view of each film, or export the frontal film only: the study has several films.",
        "split-conflict": "Correct the table: it puts studies of this patient into two splits.",
        "patient-missing": "Give PatientID in the image, or a column 'patient_id' beside the report.",
    }
)
"""Code → remedy, one sentence."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Bad:
    """One entry of the quarantine: a code of :data:`REMEDIES`, and a path or a line of a table."""

    reason: str
    name: str = field(repr=False)


def counts(bad: Sequence[Bad]) -> dict[str, int]:
    """Return code → number of entries, in alphabetical order."""
    return dict(sorted(Counter(one.reason for one in bad).items()))


def write_quarantine(path: Path, bad: Sequence[Bad]) -> None:
    """Write the list atomically with mode 0600. Names that a spreadsheet would run are quoted."""
    with private_file(path) as file:
        table = csv.writer(file)
        table.writerow(["code", "name", "remedy"])
        for one in sorted(bad, key=lambda one: (one.reason, one.name)):
            table.writerow([one.reason, _quoted(one.name), REMEDIES[one.reason]])


def _quoted(name: str) -> str:
    """Return a name for the list, with a leading quote if a spreadsheet would run it."""
    return f"'{name}" if name.startswith(_FORMULA) else name


def unquoted(name: str) -> str:
    """Return the original name of an entry."""
    return name[1:] if name.startswith("'") and name[1:].startswith(_FORMULA) else name
