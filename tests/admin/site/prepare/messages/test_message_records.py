from __future__ import annotations

from pathlib import Path

import pytest

from admin.site.prepare.imaged_study import ImagedStudy, key
from admin.site.prepare.messages.message_numbers import with_accessions
from admin.site.prepare.records import Record, read_records
from fedaid.data.pseudonym import Pseudonyms
from fedaid.data.unusable import UnusableStudy

NAMES = Pseudonyms(bytes(32))


def message(number: str, text: str, *, filler: str = "", kind: str = "ORU^R01", more: str = "") -> str:
    return (
        f"MSH|^~\\&|RIS|HOUSE|||20230103120000||{kind}|1|P|2.3\rPID|1||77||SECRET^NAME\r"
        f"OBR|1||{filler}|CXR||||||||||||||{number}|||||||F\rOBX|1|TX|CXR||{text}||||||F\r{more}"
    )


def study(*keys: tuple[str, str]) -> ImagedStudy:
    hashes = tuple(key(kind, value, NAMES) for kind, value in keys)
    return ImagedStudy(name="s", patients=("p",), keys=hashes, images=("f",), views=("PA",), paths=("1.dcm",))


@pytest.mark.parametrize("ending", ["txt", "hl7"])
def test_a_message_in_a_folder_is_read(ending: str, tmp_path: Path) -> None:
    (tmp_path / f"x.{ending}").write_bytes(message("A1", "Clear.", filler="F1", more="ZDS|1.2.3^^A^DICOM").encode())
    (record,) = read_records(tmp_path)
    assert record.keys == (("OBR-18", "A1"), ("OBR-3", "F1"), ("study", "1.2.3"))
    assert (record.report(), record.status, record.written) == ("Clear.", "F", "20230103120000")


def test_a_message_without_a_number_goes_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "A7.hl7").write_text(message("", "Clear."))
    assert read_records(tmp_path)[0].keys == (("file name", "A7"),)


def test_a_batch_gives_a_record_for_each_report_and_a_code_for_other_messages(tmp_path: Path) -> None:
    batch = "BHS|^~\\&|RIS\r" + message("A1", "a") + message("A2", "b") + message("A3", "c", kind="ORM^O01") + "BTS|3\r"
    (tmp_path / "all.hl7").write_text(batch)
    records = read_records(tmp_path)
    assert [(record.keys, record.fault) for record in records] == [
        ((("OBR-18", "A1"),), ""), ((("OBR-18", "A2"),), ""), ((), "report-message"),
    ]  # fmt: skip
    assert records[1].name == "reports/all.hl7, report 2 of 3"


def test_a_message_below_another_line_is_refused(tmp_path: Path) -> None:
    (tmp_path / "A1.txt").write_text("Exported\r" + message("A1", "Clear."))
    with pytest.raises(UnusableStudy, match="report-message"):
        read_records(tmp_path)[0].report()


def table(folder: Path, cell: str, number: str = "A1") -> Record:
    (folder / "r.csv").write_text(f'accession,report,status\n{number},"{cell}",preliminary\n', newline="")
    (record,) = read_records(folder / "r.csv")
    return record


def test_a_message_in_a_cell_is_read_under_the_rows_number(tmp_path: Path) -> None:
    record = table(tmp_path, message("F9", "Clear."))
    assert (record.keys, record.report(), record.status) == ((("accession", "A1"),), "Clear.", "F")
    assert table(tmp_path, message("F9", "Clear."), "").keys == (("OBR-18", "F9"),)


def test_a_cell_with_two_messages_has_a_code(tmp_path: Path) -> None:
    with pytest.raises(UnusableStudy, match="report-several"):
        table(tmp_path, message("A1", "a") + message("A2", "b")).report()


def test_a_cell_that_says_nothing_gives_way_to_findings_and_impression(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("accession,report,findings,impression\nA1,nan,Clear.,N/A\nA2,nan,,\n")
    assert [record.text for record in read_records(tmp_path / "r.csv")] == [
        "FINDINGS: Clear.\n\nIMPRESSION: N/A",
        "nan",
    ]


@pytest.mark.parametrize(("known", "chosen"), [("A", "A"), ("F", "F")])
def test_the_field_that_finds_most_studies_is_the_accession_number(known: str, chosen: str) -> None:
    records = [Record(keys=(("OBR-18", f"A{n}"), ("OBR-3", f"F{n}")), name="r", text="x") for n in range(3)]
    studies = [study(("accession", f"{known}{n}")) for n in range(3)]
    studies.append(study(("accession", f"{'A' if known == 'F' else 'F'}0")))
    found = with_accessions(studies, records, NAMES)
    assert [record.keys for record in found] == [(("accession", f"{chosen}{n}"),) for n in range(3)]


def test_records_without_messages_stay() -> None:
    records = [Record(keys=(("accession", "A1"),), name="r", text="x")]
    assert with_accessions([], records, NAMES) is records


def test_an_order_number_of_no_film_does_not_contradict_a_study_uid() -> None:
    record = Record(keys=(("OBR-3", "F1"), ("study", "1.2.3")), name="r", text="x")
    for number, kept in (("A1", ()), ("F1", (("accession", "F1"),))):
        found = with_accessions([study(("accession", number), ("study", "1.2.3"))], [record], NAMES)
        assert found[0].keys == (*kept, ("study", "1.2.3"))


def test_a_file_of_messages_can_be_given_itself(tmp_path: Path) -> None:
    (tmp_path / "all.txt").write_text(message("A1", "a") + message("A2", "b"))
    assert [record.report() for record in read_records(tmp_path / "all.txt")] == ["a", "b"]
