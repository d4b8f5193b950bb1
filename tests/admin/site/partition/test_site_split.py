from __future__ import annotations

import json
from pathlib import Path

import pytest

from admin.site.partition.site_split import SiteSplit, digest_of, read_split, write_split
from fedaid.data.table import Table, read_table
from fedaid.errors import InputError

TEXT = "study_id,patient_id,image,labels\ns1,secret-a,i1,Edema|Fracture\ns2,secret-b,i2,\ns3,secret-a,i3,Edema\n"


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    (tmp_path / "manifest.csv").write_text(TEXT)
    return tmp_path / "manifest.csv"


@pytest.fixture
def table(manifest: Path) -> Table:
    return read_table(manifest)


@pytest.fixture
def split(manifest: Path) -> SiteSplit:
    return SiteSplit({"kind": "iid", "seed": 7}, digest_of(manifest), {"north": (2, 4), "south": (3,)})


def test_what_is_read_is_what_was_written(split: SiteSplit, manifest: Path, table: Table, tmp_path: Path) -> None:
    write_split(split, tmp_path / "split.json", table=table)
    assert read_split(tmp_path / "split.json", manifest=manifest) == split


def test_the_file_counts_studies_patients_and_labels(split: SiteSplit, table: Table, tmp_path: Path) -> None:
    write_split(split, tmp_path / "split.json", table=table)
    content = json.loads((tmp_path / "split.json").read_text())
    north = {"studies": 2, "patients": 1, "labels": {"Edema": 2, "Fracture": 1}, "lines": [2, 4]}
    assert content["sites"] == {"north": north, "south": {"studies": 1, "patients": 1, "labels": {}, "lines": [3]}}
    assert (content["kind"], content["seed"]) == ("iid", 7)


def test_the_file_holds_no_identifier(split: SiteSplit, table: Table, tmp_path: Path) -> None:
    write_split(split, tmp_path / "split.json", table=table)
    text = (tmp_path / "split.json").read_text()
    assert not [name for name in ("secret", "s1", "i1") if f'"{name}' in text]


def test_the_rows_of_a_site_are_those_on_its_lines(split: SiteSplit, table: Table) -> None:
    assert [row.cell("study_id") for row in split.rows(table)["north"]] == ["s1", "s3"]


@pytest.mark.parametrize("lines", [{"a": (2, 3)}, {"a": (2, 3, 4), "b": (4,)}, {"a": (2, 3, 5)}])
def test_a_row_left_out_or_placed_twice_is_refused(lines: dict[str, tuple[int, ...]], table: Table) -> None:
    with pytest.raises(InputError, match="place every row of the manifest once"):
        SiteSplit({}, "", lines).rows(table)


def test_a_manifest_that_has_changed_is_refused(split: SiteSplit, manifest: Path, table: Table, tmp_path: Path) -> None:
    write_split(split, tmp_path / "split.json", table=table)
    manifest.write_text(TEXT + "s4,c,i4,\n")
    with pytest.raises(InputError, match="manifest must be the one that the split was made from"):
        read_split(tmp_path / "split.json", manifest=manifest)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sites": {"a": 3}}', '{"format": 1, "sites": []}'])
def test_another_file_is_refused(text: str, manifest: Path, tmp_path: Path) -> None:
    (tmp_path / "split.json").write_text(text)
    with pytest.raises(InputError, match="split file must be a saved partition"):
        read_split(tmp_path / "split.json", manifest=manifest)


def test_another_format_is_refused(split: SiteSplit, manifest: Path, table: Table, tmp_path: Path) -> None:
    write_split(split, tmp_path / "split.json", table=table)
    text = (tmp_path / "split.json").read_text().replace('"format": 1', '"format": 2')
    (tmp_path / "split.json").write_text(text)
    with pytest.raises(InputError, match="format must be 1, got 2"):
        read_split(tmp_path / "split.json", manifest=manifest)
