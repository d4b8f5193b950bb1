"""Checks of the manifest as a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from admin.site.doctor.doctor_check import ERROR, NOTE, WARNING, Check, Found, found, where
from admin.site.doctor.evidence import Case, Evidence
from fedaid.data.manifest import REPORT_SOURCES
from fedaid.data.split import SPLITS

REQUIRED = ("study_id", "patient_id", "image")
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def refused(evidence: Evidence) -> Found:
    """Fires if training refuses the manifest."""
    return Found(fired=evidence.refusal is not None, said=evidence.refusal or "")


def malformed(evidence: Evidence) -> Found:
    """Fires if the manifest is not a valid table."""
    return Found(fired=evidence.malformed is not None, said=evidence.malformed or "")


def unusual_form(evidence: Evidence) -> Found:
    """Whether it is not UTF-8 with commas."""
    rows = len(evidence.cases)
    return Found(detail={evidence.read_as: rows} if evidence.read_as else {}, of=rows, fired=bool(evidence.read_as))


def columns(evidence: Evidence) -> Found:
    """Fires if a required column is missing, or if the manifest does not have exactly one source of reports."""
    missing = [name for name in REQUIRED if name not in evidence.columns]
    sources = sum(any(name in evidence.columns for name in source) for source in REPORT_SOURCES)
    said = f"without {', '.join(missing)}" if missing else f"{sources} sources of the report" if sources != 1 else ""
    return Found(fired=bool(said), said=said)


def repeated(key: Callable[[Case], str]) -> Callable[[Evidence], Found]:
    """Return a look that finds the studies whose key occurs more than once."""

    def look(evidence: Evidence) -> Found:
        groups: defaultdict[str, list[Case]] = defaultdict(list)
        for case in evidence.cases:
            groups[key(case)].append(case)
        return found((case for name, group in groups.items() if name and len(group) > 1 for case in group), evidence)

    return look


def has_formula(case: Case) -> bool:
    """Whether a spreadsheet would run a cell of the row; a signed number is not a formula."""
    return any(cell.startswith(FORMULA) and not _is_number(cell) for cell in case.cells.values())


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return cell == "-"
    return True


MANIFEST_CHECKS = (
    Check(
        "manifest-refused",
        "Training refuses the manifest",
        "A site with such a manifest stops before its first round.",
        "Correct the error below; the other checks name the studies.",
        ERROR,
        refused,
    ),
    Check(
        "manifest-malformed",
        "The manifest is not a valid table",
        "Its encoding is not certain, or its rows have different numbers of cells. It is read as far as possible.",
        "Export it as 'CSV UTF-8' (commas and semicolons are both read) and quote cells that hold the separator.",
        ERROR,
        malformed,
    ),
    Check(
        "manifest-form",
        "The manifest is not UTF-8 with commas",
        "It is read in the form that is named below. If letters such as ä or é look wrong, the encoding is wrong.",
        "Nothing, if the letters are right. Otherwise export it as 'CSV UTF-8'.",
        NOTE,
        unusual_form,
    ),
    Check(
        "manifest-columns",
        "A column is missing, or there are two report columns",
        "The columns study_id, patient_id, image and one report column are required.",
        "Add the column, or remove the second report column. docs/data.md lists them.",
        ERROR,
        columns,
    ),
    Check(
        "missing-identifier",
        "Rows without study_id or patient_id",
        "Without patient_id, the studies of a patient cannot be kept in one split.",
        "Fill in study_id and patient_id. A pseudonym is enough.",
        ERROR,
        where(lambda case: not case.name or not case.patient),
    ),
    Check(
        "duplicate-study",
        "One study_id in several rows",
        "Two rows of one study may contradict each other.",
        "Keep one row per study.",
        ERROR,
        repeated(lambda case: case.name),
    ),
    Check(
        "unknown-split",
        "Unknown split names",
        "Only train, valid and test are known. With an empty cell, the patient's hash decides.",
        "Write one of the three names, or leave the cell empty.",
        ERROR,
        where(lambda case: case.split not in SPLITS),
    ),
    Check(
        "formula-cell",
        "Cells that a spreadsheet would run",
        "Opening the manifest in a spreadsheet runs the formula.",
        "Clear the cell, or put an apostrophe before its text.",
        WARNING,
        where(has_formula),
    ),
)
