from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from admin.site.prepare.rows import column, is_table, read_rows
from fedaid.errors import InputError


@pytest.mark.parametrize(
    ("name", "content"),
    [("t.csv", 'A-b,C\n1,"x\ny"\n\n2,\n'), ("t.csv", "\ufeffa B\tc\n1\t\"x\ny\"\n2\n"),
     ("t.TSV", 'a_b\tC\n1\t"x\ny"\n2\t\n'),
     ("t.jsonl", '{"a-b": 1, "c": "x\\ny"}\n\n{"a b": 2, "c": " "}\n')],
)  # fmt: skip
@pytest.mark.parametrize("packed", [False, True])
def test_tables_of_all_kinds_are_read_alike(name: str, content: str, packed: bool, tmp_path: Path) -> None:
    path = tmp_path / (name + ".gz" * packed)
    path.write_bytes(gzip.compress(content.encode(), mtime=0) if packed else content.encode())
    assert is_table(path)
    rows = list(read_rows(path, needs=("a_b",)))
    assert [cells for _, cells in rows] == [{"a_b": "1", "c": "x\ny"}, {"a_b": "2", "c": ""}]
    assert rows[0][0] == f"{path.name}, row {1 if 'jsonl' in name else 2}"


def test_a_cell_too_long_for_a_report_does_not_cost_the_table(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(f"a,b\n1,{'x ' * 10**6}\n2,y\n")
    assert [cells["a"] for _, cells in read_rows(tmp_path / "t.csv")] == ["1", "2"]


def test_a_number_that_a_spreadsheet_must_keep_is_read_as_text(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a;b;c\n=\"007\";'008;since '90s, '12\n")
    assert [cells for _, cells in read_rows(tmp_path / "t.csv")] == [{"a": "007", "b": "008", "c": "since '90s, '12"}]


def test_labels_may_be_a_list_of_json(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"labels": ["Edema", "Pneumonia"], "image": ["a", "b"]}\n')
    ((_, cells),) = read_rows(tmp_path / "t.jsonl")
    assert cells == {"labels": "Edema|Pneumonia", "image": "['a', 'b']"}


def test_other_files_are_no_tables(tmp_path: Path) -> None:
    (tmp_path / "t.docx").write_text("")
    assert not is_table(tmp_path / "t.docx")
    assert not is_table(tmp_path / "none.csv")
    assert column(" Study - UID ") == "study_uid"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [("t.csv", b"b\nSECRET\n", "have the column a"), ("t.csv", b"", "have the column a"),
     ("t.csv", b"a,b\nSECRET,2,3\n", "row 2"), ("t.csv", b"a\n\xc3\xa4\n\xff\n", "UTF-8"),
     ("t.csv.gz", b"a\nSECRET", "readable"),
     ("t.csv.gz", gzip.compress(b"a\n1\n", mtime=0)[:-5], "readable"),
     ("t.jsonl", b"[1]\n", "one object a line"),
     ("t.jsonl", b"{SECRET\n", "line 1"), ("t.jsonl", b'{"b": 1}\n', "column a"), ("t.jsonl", b"[" * 99999, "line 1")],
)  # fmt: skip
def test_what_cannot_be_read_is_one_line_that_quotes_no_cell(
    name: str, content: bytes, says: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=says) as caught:
        list(read_rows(tmp_path / name, needs=("a",)))
    assert "SECRET" not in str(caught.value)


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    table = tmp_path / "reports.csv"
    table.write_text("Accession Number,accession_number,report\n1,,Clear.\n")
    with pytest.raises(InputError, match=r"accession_number: reports\.csv, header"):
        list(read_rows(table))
