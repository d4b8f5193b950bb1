from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin.site.doctor.outcome import HIDDEN, disclosed, disclosed_cells


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0"), (1, "<5"), (4, "<5"), (5, "5"), (7, "5"), (8, "10"), (118, "120"), (122, "120")]
)
def test_counts_are_suppressed_or_rounded(count: int, shown: str) -> None:
    assert disclosed(count, least=5) == shown


@given(st.integers(0, 10_000))
def test_a_least_cell_of_one_shows_every_count(count: int) -> None:
    assert disclosed(count, least=1) == str(count)


@given(st.integers(1, 4), st.lists(st.integers(5, 500), min_size=1, max_size=6))
def test_a_single_small_cell_may_be_exchanged_with_another_and_nothing_changes(small: int, others: list[int]) -> None:
    names = "abcdefg"
    cells = dict(zip(names, (small, *others), strict=False))
    shown = disclosed_cells(cells, least=5)
    next_one = min(list(cells)[1:], key=lambda name: cells[name])
    assert shown["a"] == shown[next_one] == HIDDEN
    exchanged = cells | {"a": cells[next_one], next_one: small}
    assert disclosed_cells(exchanged, least=5) == shown


def test_several_small_cells_hide_each_other() -> None:
    assert disclosed_cells({"PA": 3, "AP": 12, "LL": 1, "x": 0}, least=5) == {
        "PA": "<5", "AP": "10", "LL": "<5", "x": "0"
    }  # fmt: skip


def test_a_table_of_one_small_cell_is_hidden() -> None:
    assert disclosed_cells({"PA": 3}, least=5) == {"PA": HIDDEN}
