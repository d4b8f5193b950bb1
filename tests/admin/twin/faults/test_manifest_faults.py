from __future__ import annotations

from pathlib import Path

import pytest

from admin.twin.faults.faulty_site import open_site
from admin.twin.faults.manifest_faults import MANIFEST_FAULTS, WHOLE_MANIFEST_FAULTS
from fedaid.data.manifest import read_manifest
from fedaid.errors import InputError
from tests.admin.twin.bad_site import BadSite, read_rows

REFUSALS = {
    "duplicate-study": "the same study twice",
    "patient-in-two-splits": "a patient in two splits",
    "missing-patient": "patient_id must be given in every row",
    "unknown-split": "split must be one of train, valid, test or empty",
    "latin1-manifest": "must be UTF-8",
    "two-report-columns": "2 sources",
}


def spoilt_by(fault: str, healthy: Path, folder: Path) -> None:
    """Write the manifest of a healthy site with one fault."""
    (folder / "manifest.csv").write_bytes((healthy / "manifest.csv").read_bytes())
    site = open_site(folder, seed=1)
    assert len(WHOLE_MANIFEST_FAULTS[fault](site)) == 1
    site.save()


def test_a_formula_is_in_a_cell_of_each_planted_row_only(bad_site: BadSite) -> None:
    rows = [row["study_id"] for row in read_rows(bad_site.spoilt) if any(cell.startswith("=") for cell in row.values())]
    assert sorted(rows) == sorted(bad_site.planted["formula-cell"])


def test_a_path_leaves_the_root_in_each_planted_row_only(bad_site: BadSite) -> None:
    root = bad_site.spoilt.resolve()
    outside = [
        row["study_id"]
        for row in read_rows(bad_site.spoilt)
        if not (root / row["image"]).parent.resolve().is_relative_to(root)
    ]
    assert sorted(outside) == sorted(bad_site.planted["path-outside-root"])


def test_one_study_is_left_to_validate_on(bad_site: BadSite) -> None:
    valid = [row["study_id"] for row in read_rows(bad_site.spoilt) if row["split"] == "valid"]
    assert tuple(valid) == bad_site.planted["tiny-validation-split"]
    assert len([row for row in read_rows(bad_site.healthy) if row["split"] == "valid"]) > 10


def test_a_tiny_validation_split_divides_no_patient(bad_site: BadSite) -> None:
    splits: dict[str, set[str]] = {}
    for row in read_rows(bad_site.spoilt):
        splits.setdefault(row["patient_id"], set()).add(row["split"])
    assert all(len(found) == 1 for found in splits.values())


def test_a_view_is_contradicted_by_the_header(bad_site: BadSite) -> None:
    for study in bad_site.planted["contradicted-view"]:
        assert bad_site.row(study)["view"] == "LL"
        assert bad_site.film(study).ViewPosition in ("PA", "AP")


def test_only_the_planted_rows_have_no_label(bad_site: BadSite) -> None:
    rows = [row["study_id"] for row in read_rows(bad_site.spoilt) if not row["labels"]]
    assert sorted(rows) == sorted(bad_site.planted["unlabelled"])


@pytest.mark.parametrize(("fault", "said"), REFUSALS.items())
def test_a_fault_of_the_whole_manifest_is_refused(fault: str, said: str, bad_site: BadSite, tmp_path: Path) -> None:
    spoilt_by(fault, bad_site.healthy, tmp_path)
    with pytest.raises(InputError, match=said):
        read_manifest(tmp_path)


def test_every_fault_of_the_whole_manifest_is_known() -> None:
    assert set(REFUSALS) == set(WHOLE_MANIFEST_FAULTS)


def test_one_study_identifier_occurs_twice(bad_site: BadSite, tmp_path: Path) -> None:
    spoilt_by("duplicate-study", bad_site.healthy, tmp_path)
    studies = [row["study_id"] for row in read_rows(tmp_path)]
    assert len(set(studies)) == len(studies) - 1


def test_one_patient_is_in_two_splits(bad_site: BadSite, tmp_path: Path) -> None:
    splits: dict[str, set[str]] = {}
    spoilt_by("patient-in-two-splits", bad_site.healthy, tmp_path)
    for row in read_rows(tmp_path):
        splits.setdefault(row["patient_id"], set()).add(row["split"])
    assert [found for found in splits.values() if len(found) > 1] == [{"train", "test"}]


@pytest.mark.parametrize("fault", MANIFEST_FAULTS)
def test_no_file_is_changed(bad_site: BadSite, fault: str) -> None:
    for study in bad_site.planted[fault]:
        assert bad_site.report(study) == bad_site.report(study, before=True)
        image = bad_site.row(study, before=True)["image"]
        assert (bad_site.spoilt / image).read_bytes() == (bad_site.healthy / image).read_bytes()
