from __future__ import annotations

import pytest

from admin.results.inline_picture import svg_element
from admin.site.doctor.histograms import bar_chart, grey_chart


def test_every_class_has_a_bar_of_its_height_and_its_name() -> None:
    axes = bar_chart({"PA": 3, "AP": 1}).axes[0]
    assert [bar.get_height() for bar in axes.patches] == [3, 1]  # type: ignore[attr-defined]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["PA", "AP"]


def test_grey_levels_are_shares_of_all_pixels_from_0_to_1() -> None:
    values, edges, _ = grey_chart([1, 2, 1]).axes[0].patches[0].get_data()  # type: ignore[attr-defined]
    assert values == pytest.approx([0.25, 0.5, 0.25])
    assert edges == pytest.approx([0, 1 / 3, 2 / 3, 1])


def test_grey_levels_of_black_pictures_and_of_no_picture_are_drawn() -> None:
    assert "nan" not in svg_element(grey_chart([0, 0]))
    assert "nan" not in svg_element(grey_chart([]))


def test_a_class_name_is_text_and_is_escaped() -> None:
    found = svg_element(bar_chart({"<b>": 1, "10 to 19": 2}))
    assert "10 to 19</text>" in found
    assert "<b>" not in found
