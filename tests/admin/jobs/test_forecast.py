from __future__ import annotations

from pathlib import Path

import pytest

from admin.jobs.forecast import PAGE, duration, projection, row, write_projection


def test_the_page_says_that_it_is_computed() -> None:
    assert "**Computed by `python -m admin plan --projection`, not measured.**" in projection()


def test_the_page_in_docs_is_the_one_that_is_computed() -> None:
    assert (Path(__file__).parents[3] / PAGE).read_text(encoding="utf-8") == projection()


def test_there_is_a_row_for_every_federation_link_and_type() -> None:
    rows = [line for line in projection().splitlines() if "bit/s |" in line]
    assert len(rows) == 3 * 2 * 3


def test_a_row_by_hand() -> None:
    cells = [cell.strip() for cell in row(5, 100.0, "fp32").strip("|").split("|")]
    assert cells[:4] == ["5", "100 Mbit/s", "fp32", "1562 MB"]  # 2 x 709.5 MB x 1.1006
    assert cells[4] == "12 min"  # 5 x 1562 MB at 90 Mbit/s


@pytest.mark.parametrize(("seconds", "text"), [(69, "69 s"), (600, "10 min"), (14040, "3.9 h")])
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_the_page_is_written_where_it_is_asked(tmp_path: Path) -> None:
    page = write_projection(tmp_path / "new" / "page.md")
    assert page.read_text(encoding="utf-8").startswith("# Projection: MIMIC-CXR")
