from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from admin.site.prepare.records import FILE_NAME, read_records
from admin.site.prepare.tables.report_table import AS_FOUND, TableOptions
from admin.twin.consortium import write_consortium
from admin.twin.export import REPORT_FORMATS, export_consortium
from admin.twin.hospital import DEMO_HOSPITALS, Hospital
from fedaid.data.table import read_table

SITE = replace(DEMO_HOSPITALS[0], studies=24)


def contents(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def exported(folder: Path, hospital: Hospital = SITE) -> Path:
    export_consortium(folder, hospitals=[hospital], seed=3, image_size=32)
    return folder / hospital.name


@pytest.fixture(scope="module")
def manifest_layout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("manifest")
    write_consortium(folder, hospitals=[SITE], seed=3, image_size=32)
    return folder / SITE.name


def test_the_films_are_byte_for_byte_those_of_the_layout_with_a_manifest(tmp_path: Path, manifest_layout: Path) -> None:
    films = contents(exported(tmp_path) / "images")
    assert len(films) == 24
    assert sorted(films.values()) == sorted(contents(manifest_layout / "images").values())


def test_nothing_but_the_pictures_and_the_reports_is_handed_over(tmp_path: Path) -> None:
    assert sorted(path.name for path in exported(tmp_path).iterdir()) == ["images", "reports.csv"]


def test_a_film_lies_nested_under_a_name_that_does_not_tell_its_study(tmp_path: Path, manifest_layout: Path) -> None:
    order = {digest: Path(name).stem for name, digest in contents(manifest_layout / "images").items()}
    films = sorted(contents(exported(tmp_path) / "images").items())
    assert all(len(Path(name).parts) == 3 and Path(name).suffix == "" and "TWIN" not in name for name, _ in films)
    assert [order[digest] for _, digest in films] != sorted(order.values()), "the names must not be in studies' order"


@pytest.mark.parametrize("report_format", REPORT_FORMATS)
def test_every_format_holds_every_report_under_its_accession_number(
    report_format: str, tmp_path: Path, manifest_layout: Path
) -> None:
    hospital = replace(SITE, report_format=report_format)
    (reports,) = export_consortium(tmp_path, hospitals=[hospital], seed=3, image_size=32).values()
    kind = FILE_NAME if report_format == "text" else "accession"
    found = {dict(record.keys)[kind]: record for record in read_records(reports)}
    rows = read_table(manifest_layout / "manifest.csv").rows
    assert len(found) == len(rows) == 24
    for row in rows:
        record, text = found[row.cell("study_id")], (manifest_layout / row.cell("report_path")).read_text()
        assert (record.report() or "").strip() == text.strip()
        assert record.labels == ("" if report_format == "text" else row.cell("labels"))


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    assert contents(exported(tmp_path / "a")) == contents(exported(tmp_path / "b"))


def test_which_reports_were_passed_on_is_told_beside_the_export(tmp_path: Path) -> None:
    folder = exported(tmp_path, replace(SITE, pairing_noise=0.5))
    assert len((folder / "pairing.csv").read_text().splitlines()) == 1 + 12


def test_the_demonstration_shows_every_format() -> None:
    assert {hospital.report_format for hospital in DEMO_HOSPITALS} == set(REPORT_FORMATS)


@pytest.mark.parametrize("report_format", ["csv", "jsonl"])
def test_a_table_states_the_split_of_each_study_only_if_the_hospital_does(
    report_format: str, tmp_path: Path, manifest_layout: Path
) -> None:
    rows = read_table(manifest_layout / "manifest.csv").rows
    asked = TableOptions(columns={"split": "split"})
    for states in (True, False):
        hospital = replace(SITE, report_format=report_format, states_splits=states)
        (table,) = export_consortium(tmp_path / str(states), hospitals=[hospital], seed=3, image_size=32).values()
        found = {
            dict(record.keys)["accession"]: record.splits
            for record in read_records(table, asked if states else AS_FOUND)
        }
        assert ("split" in table.read_text(encoding="utf-8").splitlines()[0]) is states
        assert found == {row.cell("study_id"): (row.cell("split"),) if states else () for row in rows}
