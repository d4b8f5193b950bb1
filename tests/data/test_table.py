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
        (b"a,b\n1,2\n3,\xe4\n", 3),  # latin-1
        ("a,b\n1,2\n".encode("utf-16"), 1),
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
