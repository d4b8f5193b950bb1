from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread

from admin.site.prepare.preparation import Preparation, StoppedAtBad
from admin.site.prepare.quarantine import counts
from admin.site.prepare.records import Record
from admin.site.prepare.scan import find_files
from admin.site.prepare.site_folder import SiteFolder
from fedaid.data.pseudonym import Pseudonyms
from tests.admin.site.prepare.conftest import write_image

NAMES = Pseudonyms(bytes(32))


def quietly(items: Iterable[Any], total: int, doing: str) -> Iterator[Any]:
    yield from items


def prepared(folder: Path, records: Sequence[Record], *, size: int = 16, strict: bool = False) -> Preparation:
    site = SiteFolder(folder / "site", size)
    site.make()
    run = Preparation(folder / "images", site, NAMES, 1, track=quietly, strict=strict)
    run.run(list(find_files(folder / "images")), records)
    return run


def record(accession: str, text: str = "Clear.", patient: str = "", **said: str) -> Record:
    return Record(keys=(("accession", accession),), name=accession, text=text, patient=patient, **said)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(3):
        patient = "p" if number else ""
        path = tmp_path / "images" / str(number)
        write_image(path, seed=number, patient=patient, accession=f"A{number}", study=f"1.{number}", view="doe")
    return tmp_path


def test_an_unknown_patient_is_taken_from_the_report_or_the_study_is_left_out(folder: Path) -> None:
    run = prepared(folder, [record(f"a{n}") for n in range(3)])
    assert counts(run.bad) == {"patient-missing": 1}
    assert len(run.lines) == 2
    again = prepared(folder, [record("a0", patient="q"), record("a1"), record("a2", patient=" P ")])
    assert counts(again.bad) == {}
    assert len({line.patient_id for line in again.lines}) == 2


def test_only_studies_with_a_report_are_decoded(folder: Path) -> None:
    run = prepared(folder, [record("A1")])
    assert (run.described, run.decoded) == (3, 1)
    more = prepared(folder, [record("A1"), record("A2")])
    assert (more.described, more.decoded) == (0, 1)


def test_a_replaced_image_is_decoded_into_a_row_of_its_own(folder: Path) -> None:
    before = {line.study_id: line.image_row for line in prepared(folder, [record("A1"), record("A2")]).lines}
    write_image(folder / "images" / "1", seed=50, patient="p", accession="A1", study="1.1")
    run = prepared(folder, [record("A1"), record("A2")])
    assert (run.described, run.decoded) == (1, 1)
    after = {line.study_id: line.image_row for line in run.lines}
    assert sorted(after.values()) == [1, 2] if before[run.lines[0].study_id] == 0 else [0, 2]


def test_another_size_is_decoded_beside_the_first(folder: Path) -> None:
    prepared(folder, [record("A1")])
    run = prepared(folder, [record("A1")], size=32)
    assert (run.described, run.decoded) == (0, 1)
    assert sorted(path.name for path in (folder / "site").glob("*.npy")) == ["images-16.npy", "images-32.npy"]


def test_without_the_file_of_pixels_every_image_is_decoded_again(folder: Path) -> None:
    records = [record("A1"), record("A2")]
    prepared(folder, records)
    (folder / "site" / "images-16.npy").unlink()
    run = prepared(folder, records)
    pixels = np.load(folder / "site" / "images-16.npy", allow_pickle=False)
    assert (run.described, run.decoded) == (0, 2)
    assert all(pixels[line.image_row].any() for line in run.lines)


def test_a_view_that_is_no_known_term_is_not_kept(folder: Path) -> None:
    run = prepared(folder, [record("A1")])
    assert [line.view for line in run.lines] == [""]
    assert b"DOE" not in (folder / "site" / "private" / "files.jsonl").read_bytes()


def test_sex_and_age_are_those_of_the_image_or_else_of_the_report(folder: Path) -> None:
    path = folder / "images" / "1"
    header = dcmread(path)
    header.PatientSex, header.PatientAge = "F", "093Y"
    header.save_as(path)
    records = [record("A1", sex="M", age="40"), record("A2", sex="male", age="57.0")]
    expected = {("F", "90"), ("M", "57")}
    assert {(line.sex, line.age) for line in prepared(folder, records).lines} == expected
    again = prepared(folder, records)
    assert again.described == 0
    assert {(line.sex, line.age) for line in again.lines} == expected


def test_no_other_text_becomes_a_sex_or_an_age(folder: Path) -> None:
    run = prepared(folder, [record("A1", sex="JANE DOE", age="born 1957-02-03"), record("A2")])
    assert {(line.sex, line.age) for line in run.lines} == {("", "")}


def test_strict_names_the_first_reason_only(folder: Path) -> None:
    with pytest.raises(StoppedAtBad, match=r"^pair-no-report$"):
        prepared(folder, [record("A1")], strict=True)


@pytest.mark.parametrize(("reason", "again"), [("image-crash", 1), ("image-timeout", 1), ("image-unreadable", 0)])
@pytest.mark.parametrize("journal", ["files.jsonl", "images-16.jsonl"])
def test_only_what_a_busy_machine_can_cause_is_tried_again(reason: str, again: int, journal: str, folder: Path) -> None:
    records = [record("A1"), record("A2")]
    prepared(folder, records)
    path = folder / "site" / "private" / journal
    *lines, last = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines) + json.dumps(json.loads(last) | {"reason": reason}) + "\n")
    run = prepared(folder, records)
    assert run.described + run.decoded == again
    assert counts(run.bad).get(reason, 0) == 1 - again
    assert len(run.lines) == 1 + again


def test_an_image_that_may_be_read_now_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("admin.site.prepare.scan.os.access", lambda path, mode: path.name != "1")
    prepared(folder, [record("A1"), record("A2")])
    monkeypatch.undo()
    assert prepared(folder, [record("A1"), record("A2")]).described == 1
