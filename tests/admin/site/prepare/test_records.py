from __future__ import annotations

from pathlib import Path

import pytest

from admin.site.prepare.records import Record, read_records
from fedaid.data.unusable import UnusableStudy
from fedaid.errors import InputError


def test_a_text_file_goes_by_its_stem(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "ACC 1.txt").write_bytes("Größe".encode("utf-8-sig"))
    (tmp_path / ".DS_Store").write_text("x")
    (record,) = read_records(tmp_path)
    assert record.keys == (("file name", "ACC 1"),)
    assert record.report() == "Größe"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("r.csv", 'Accession Number,Patient-ID,Report\nA1,p,"two\nlines"\n'),
        ("r.csv", '\ufeffaccession_number,patient,text\nA1,p,"two\nlines"\n'),
        ("r.tsv", "AccessionNumber\tsubject_id\ttitle\nA1\tp\t\"two\nlines\"\n"),
        ("r.jsonl", '{"accession": "A1", "patient_id": "p", "report": "two\\nlines"}\n\n'),
    ],
)  # fmt: skip
def test_tables_of_common_shapes_are_read(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    (record,) = read_records(tmp_path / name)
    assert (record.keys, record.patient, record.report()) == ((("accession", "A1"),), "p", "two\nlines")


@pytest.mark.parametrize("header", ["sex,age", "Patient Sex,Patient-Age", "Gender,Age years"])
def test_sex_and_age_stay_as_they_are_given(header: str, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(f"image,text,{header}\nx/1.png,Clear.,female,57\n")
    (record,) = read_records(tmp_path / "r.csv")
    assert (record.sex, record.age) == ("female", "57")


def test_sections_become_a_report(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("image,findings,impression,labels\nx/1.png,Clear.,Normal.,a|b\n")
    (record,) = read_records(tmp_path / "r.csv")
    assert (record.keys, record.labels) == ((("stem", "1"),), "a|b")
    assert record.report() == "FINDINGS: Clear.\n\nIMPRESSION: Normal."


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"\xff\xfeA\0", "report-unreadable"), (b"a\0b", "report-unreadable"), (b"<html>", "report-not-text"),
     (b"x" * ((1 << 20) + 1), "report-too-large")],
)  # fmt: skip
def test_a_file_that_is_no_text_has_no_report(data: bytes, code: str, tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_bytes(data)
    with pytest.raises(UnusableStudy, match=code):
        read_records(tmp_path)[0].report()


def test_a_cell_that_is_no_text_has_no_report() -> None:
    with pytest.raises(UnusableStudy, match="report-not-text"):
        Record(keys=(), name="r", text="<html><p>Clear.").report()


@pytest.mark.parametrize(
    ("name", "content"),
    [("r.csv", "who,text\na,b\n"), ("r.csv", "accession,words\na,b\n"), ("r.jsonl", "[1]\n"), ("r.jsonl", "{\n"),
     ("r.csv", "who,text\na,\u00e4\udcff\n"), ("r.docx", "x")],
)  # fmt: skip
def test_a_table_that_cannot_be_used_is_refused_without_quoting_it(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError) as caught:
        read_records(tmp_path / name)
    assert "docs/data.md" in str(caught.value)


def test_nothing_of_a_record_shows_in_its_repr() -> None:
    record = Record(keys=(("accession", "SECRET"),), name="SECRET", text="SECRET", file="SECRET", patient="SECRET")
    assert "SECRET" not in repr(record)


def test_a_report_in_a_cell_has_the_limit_of_a_file() -> None:
    with pytest.raises(UnusableStudy, match="report-too-large"):
        Record(keys=(), name="r", text="clear " * 200_000).report()


def test_a_table_may_name_text_files_below_its_folder(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "1.txt").write_text("Clear.")
    rows = "study_id,patient_id,image,report_path\ns1,p,i/1.png,reports/1.txt\ns2,p,i/2.png,../2.txt\n"
    (tmp_path / "in").mkdir()
    (tmp_path / "2.txt").write_text("not below the table")
    (tmp_path / "manifest.csv").write_text(rows)
    (tmp_path / "in" / "manifest.csv").write_text(rows)
    assert read_records(tmp_path / "manifest.csv")[0].report() == "Clear."
    with pytest.raises(UnusableStudy, match="report-missing"):
        read_records(tmp_path / "in" / "manifest.csv")[1].report()


def test_a_table_of_open_clip_is_read(tmp_path: Path) -> None:
    (tmp_path / "train.tsv").write_text("filepath\ttitle\nimages/1.jpg\tClear lungs.\n")
    (record,) = read_records(tmp_path / "train.tsv")
    assert (record.keys, record.report()) == ((("stem", "1"),), "Clear lungs.")
