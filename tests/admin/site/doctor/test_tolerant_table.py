from __future__ import annotations

from pathlib import Path

import pytest

from admin.site.doctor.tolerant_table import tolerant_table


def test_a_sound_table_has_no_fault(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("a,b\n1,2\n")
    table, fault = tolerant_table(tmp_path / "manifest.csv")
    assert fault is None
    assert table.rows[0].cells == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("content", "rows", "told"),
    [
        (b"a,b\n1\n2,3,4\n", [{"a": "1", "b": ""}, {"a": "2", "b": "3"}], "2 cells in every row"),
        (b"a,b\n\xc3\xa9,2\n\xe9,3\n", [{"a": "\u00c3\u00a9", "b": "2"}, {"a": "\u00e9", "b": "3"}], "UTF-8"),
        (b"a,b\n\n1,2\0\n", [{"a": "1", "b": "2"}], ""),
        (b"a,a\n1,2\n", [{"a": "2"}], "name each column once"),
        (b"", [], "hold a header"),
    ],
    ids=["ragged", "mixed", "zero byte", "twice", "empty"],
)
def test_of_a_table_at_fault_the_rows_are_made_out(
    content: bytes, rows: list[dict[str, str]], told: str, tmp_path: Path
) -> None:
    (tmp_path / "manifest.csv").write_bytes(content)
    table, fault = tolerant_table(tmp_path / "manifest.csv")
    assert told in (fault or "")
    assert [{name: cell.replace("\0", "") for name, cell in row.cells.items()} for row in table.rows] == rows


def test_rows_keep_the_line_they_start_on(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text('a,b\n"1\n1",2\n3\n')
    table, fault = tolerant_table(tmp_path / "manifest.csv")
    assert fault is not None
    assert [row.line for row in table.rows] == [2, 4]
