"""Checks of the manifest as a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from admin.site.doctor.doctor_check import ERROR, WARNING, Check, Found, found, where
from admin.site.doctor.evidence import Case, Evidence
from fedaid.data.manifest import REPORT_SOURCES
from fedaid.data.split import SPLITS

REQUIRED = ("study_id", "patient_id", "image")
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def refused(evidence: Evidence) -> Found:
    """Whether training refuses the manifest as a whole."""
    return Found(fired=evidence.refusal is not None, said=evidence.refusal or "")


def malformed(evidence: Evidence) -> Found:
    """Whether it is a sound table."""
    return Found(fired=evidence.malformed is not None, said=evidence.malformed or "")


def columns(evidence: Evidence) -> Found:
    """Whether it has the columns that it must have, and one source of the report."""
    missing = [name for name in REQUIRED if name not in evidence.columns]
    sources = sum(any(name in evidence.columns for name in source) for source in REPORT_SOURCES)
    said = f"without {', '.join(missing)}" if missing else f"{sources} sources of the report" if sources != 1 else ""
    return Found(fired=bool(said), said=said)


def repeated(key: Callable[[Case], str]) -> Callable[[Evidence], Found]:
    """Return a look that finds the studies that share a key with another."""

    def look(evidence: Evidence) -> Found:
        groups: defaultdict[str, list[Case]] = defaultdict(list)
        for case in evidence.cases:
            groups[key(case)].append(case)
        return found((case for name, group in groups.items() if name and len(group) > 1 for case in group), evidence)

    return look


def has_formula(case: Case) -> bool:
    """Whether a spreadsheet would run a cell of it; a number with a sign is none."""
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
        "Correct what the line says; the checks below name the studies.",
        ERROR,
        refused,
    ),
    Check(
        "manifest-malformed",
        "The manifest is no sound table",
        "It is not UTF-8, not comma-separated, or its rows differ in width; what follows is read as far as possible.",
        "Export it as 'CSV UTF-8' and quote cells that hold a comma.",
        ERROR,
        malformed,
    ),
    Check(
        "manifest-columns",
        "A column is missing, or the report has two",
        "study_id, patient_id, image and one source of the report are needed.",
        "Add the column, or drop the second source; docs/data.md lists them.",
        ERROR,
        columns,
    ),
    Check(
        "missing-identifier",
        "Rows without a study or a patient",
        "Without a patient nobody can keep a patient on one side of the split.",
        "Fill in study_id and patient_id; a pseudonym will do.",
        ERROR,
        where(lambda case: not case.name or not case.patient),
    ),
    Check(
        "duplicate-study",
        "One study_id in several rows",
        "Two rows of one study are two claims about it, and one may be wrong.",
        "Keep one row a study.",
        ERROR,
        repeated(lambda case: case.name),
    ),
    Check(
        "unknown-split",
        "A split of another name",
        "Only train, valid and test are known; an empty cell lets the patient's hash decide.",
        "Write one of the three, or nothing.",
        ERROR,
        where(lambda case: case.split not in SPLITS),
    ),
    Check(
        "formula-cell",
        "Cells that a spreadsheet would run",
        "Whoever opens the manifest in a spreadsheet runs them.",
        "Clear the cell, or put an apostrophe before it.",
        WARNING,
        where(has_formula),
    ),
)
