from __future__ import annotations

from pathlib import Path

import pytest

from admin.twin.faults.faulty_site import faults_of, open_site, planted_once
from fedaid.errors import InputError

TABLE = "study_id,patient_id,split\na,p,train\nb,q,test\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "manifest.csv").write_text(TABLE)
    return tmp_path


def test_a_study_is_taken_once(folder: Path) -> None:
    site = open_site(folder, seed=0)
    assert {site.take()["study_id"], site.take()["study_id"]} == {"a", "b"}
    with pytest.raises(InputError, match="enough sound studies"):
        site.take()


def test_only_a_study_that_suits_is_taken(folder: Path) -> None:
    site = open_site(folder, seed=0)
    assert site.take(lambda row: row["split"] == "test")["study_id"] == "b"
    with pytest.raises(InputError):
        site.take(lambda row: row["split"] == "test")


def test_saving_an_unchanged_site_changes_no_byte(folder: Path) -> None:
    open_site(folder, seed=0).save()
    assert (folder / "manifest.csv").read_text() == TABLE


def test_a_change_of_a_row_is_saved(folder: Path) -> None:
    site = open_site(folder, seed=0)
    fault = planted_once(lambda _, row: row.update(split="x"))
    assert fault(site)[0] in ("a", "b")
    site.save()
    assert (folder / "manifest.csv").read_text().count(",x\n") == 1


def test_tables_are_joined_in_order() -> None:
    one, two = {"b": lambda site: ()}, {"a": lambda site: ()}
    assert list(faults_of(one, two)) == ["b", "a"]
