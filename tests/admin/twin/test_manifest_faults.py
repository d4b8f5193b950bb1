from __future__ import annotations

from pathlib import Path

import pytest

from admin.twin.faulty_site import open_site
from admin.twin.manifest_faults import MANIFEST_FAULTS, WHOLE_MANIFEST_FAULTS
from tests.admin.twin.bad_site import BadSite, read_rows


def spoilt_by(fault: str, healthy: Path, folder: Path) -> list[dict[str, str]]:
    """The rows of a manifest with one fault."""
    (folder / "manifest.csv").write_bytes((healthy / "manifest.csv").read_bytes())
    site = open_site(folder, seed=1)
    assert len(WHOLE_MANIFEST_FAULTS[fault](site)) == 1
    site.save()
    return read_rows(folder)


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


def test_one_study_identifier_occurs_twice(bad_site: BadSite, tmp_path: Path) -> None:
    studies = [row["study_id"] for row in spoilt_by("duplicate-study", bad_site.healthy, tmp_path)]
    assert len(set(studies)) == len(studies) - 1


def test_one_patient_is_in_two_splits(bad_site: BadSite, tmp_path: Path) -> None:
    splits: dict[str, set[str]] = {}
    for row in spoilt_by("patient-in-two-splits", bad_site.healthy, tmp_path):
        splits.setdefault(row["patient_id"], set()).add(row["split"])
    assert [found for found in splits.values() if len(found) > 1] == [{"train", "test"}]


@pytest.mark.parametrize("fault", MANIFEST_FAULTS)
def test_no_file_is_changed(bad_site: BadSite, fault: str) -> None:
    for study in bad_site.planted[fault]:
        assert bad_site.report(study) == bad_site.report(study, before=True)
        image = bad_site.row(study, before=True)["image"]
        assert (bad_site.spoilt / image).read_bytes() == (bad_site.healthy / image).read_bytes()
