from __future__ import annotations

from pathlib import Path

import pytest

from fedaid.data.table import read_table
from fedaid.errors import InputError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "manifest.csv"


def test_rows_know_their_line_and_cells(path: Path) -> None:
    path.write_text("a,b\n1, 2 \n3,4\n")
    table = read_table(path)
    assert table.columns == ("a", "b")
    assert [(row.line, row.cell("a"), row.cell("b"), row.cell("c")) for row in table.rows] == [
        (2, "1", "2", ""),
        (3, "3", "4", ""),
    ]


def test_a_cell_may_span_lines_and_blank_rows_count_as_lines(path: Path) -> None:
    path.write_text('a,b\n1,"x\ny"\n\n,\n2,z\n')
    assert [row.line for row in read_table(path).rows] == [2, 6]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_ending_is_read(end: str, path: Path) -> None:
    path.write_bytes(f"a,b{end}1,2{end}3,4{end}".encode())
    assert [row.line for row in read_table(path).rows] == [2, 3]


def test_a_byte_order_mark_is_no_part_of_the_first_column(path: Path) -> None:
    path.write_bytes("a,b\n1,ä\n".encode("utf-8-sig"))
    assert read_table(path).columns == ("a", "b")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("a,b\n1,\u00e4\n3,".encode() + b"\xe4\n", 3),  # UTF-8, then Latin-1
        ("a,b\n1,2\n".encode("utf-16")[:-1], 2),
        (b"a,b\n1,2\n3\n", 3),
        (b"a,b\n1,2,SECRET\n", 2),
        (b'a,b\n1,"SECRET\n2,3\n', 2),
        (b"a,a\n1,2\n", 1),
        (b"a,b\n", 1),
        (b"", 1),
        (b"\n\n", 1),
    ],
)
def test_a_fault_names_the_file_and_the_line_and_no_cell(content: bytes, line: int, path: Path) -> None:
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_table(path)
    assert f"manifest.csv, line {line}." in str(caught.value)
    assert "SECRET" not in str(caught.value)


def test_a_row_does_not_show_its_cells(path: Path) -> None:
    path.write_text("a\nSECRET\n")
    assert "SECRET" not in repr(read_table(path))


@pytest.mark.parametrize(
    ("encoding", "separator", "said"),
    [
        ("cp1252", ";", "Windows-1252, separated by semicolons"),
        ("utf-8-sig", ";", "UTF-8, separated by semicolons"),
        ("utf-16", "\t", "UTF-16, separated by tabs"),
        ("utf-16-be", "|", "UTF-16, separated by bars"),
        ("mac_roman", ",", "Mac Roman, separated by commas"),
        ("utf-8", ",", ""),
    ],
)
def test_a_spreadsheets_own_form_is_read_and_said(encoding: str, separator: str, said: str, path: Path) -> None:
    rows = [["a", "b"], ["1", "Größe übt, Höhe; 5 °C | é"], ["2", "zwei\nZeilen"]]
    text = "\r\n".join(separator.join(f'"{cell}"' for cell in row) for row in rows)
    path.write_bytes(text.encode(encoding))
    table = read_table(path)
    assert [(row.line, *row.cells.values()) for row in table.rows] == [(2, *rows[1]), (3, *rows[2])]
    assert table.read_as == said


def test_a_line_that_states_the_separator_is_no_header(path: Path) -> None:
    path.write_bytes(b"sep=;\r\na;b\r\n1;2\r\n")
    table = read_table(path)
    assert (table.columns, [row.line for row in table.rows]) == (("a", "b"), [3])


def test_empty_columns_at_the_end_are_cut_off(path: Path) -> None:
    path.write_text("a;b;;\n1;2;;\n3;;;\n")
    assert [dict(row.cells) for row in read_table(path).rows] == [{"a": "1", "b": "2"}, {"a": "3", "b": ""}]


def test_all_faults_are_named_at_once(path: Path) -> None:
    path.write_bytes("a;a\n1;ä\n2;".encode() + b"\xe4;3\n")
    with pytest.raises(InputError, match="be UTF-8 and name each column once and have 2 cells") as caught:
        read_table(path)
    assert "line 3, line 1" in str(caught.value)


def test_a_workbook_is_named(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04rest")
    with pytest.raises(InputError, match=r"a workbook .*CSV UTF-8"):
        read_table(path)
