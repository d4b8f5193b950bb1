from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin.doctor.disclosure import disclosed, disclosed_cells


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0"), (1, "<5"), (4, "<5"), (5, "5"), (7, "5"), (8, "10"), (118, "120"), (122, "120")]
)
def test_counts_are_suppressed_or_rounded(count: int, shown: str) -> None:
    assert disclosed(count, least=5) == shown


@given(st.integers(0, 10_000))
def test_a_least_cell_of_one_shows_every_count(count: int) -> None:
    assert disclosed(count, least=1) == str(count)


@given(st.integers(1, 4), st.lists(st.integers(5, 500), min_size=1, max_size=6))
def test_a_suppressed_cell_cannot_be_computed_from_the_total_and_the_other_cells(small: int, others: list[int]) -> None:
    """Whatever is shown, another small count with other cells shows the same."""
    shown = [disclosed(count, least=5) for count in (*others, small + sum(others))]

    def hidden_behind(other: int) -> bool:
        moved = small - other  # one other cell takes up the difference, if its shown value stays the same
        cells = [[*others[:n], others[n] + moved, *others[n + 1 :]] for n in range(len(others))] + [others]
        return any(
            [disclosed(count, least=5) for count in (*changed, other + sum(changed))] == shown for changed in cells
        )

    assert any(hidden_behind(other) for other in {1, 2, 3, 4} - {small})


def test_cells_keep_their_names() -> None:
    assert disclosed_cells({"PA": 3, "AP": 12}, least=5) == {"PA": "<5", "AP": "10"}
