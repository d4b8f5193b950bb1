"""The report's figures by the data that they show."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from admin.results.inline_picture import PAPER, SERIES, svg_element
from admin.results.report.figures import interval_cell, line_chart, pairs_chart, swatch

FOUND = {"value": 0.5, "low": 0.25, "high": 0.75}


def places(line: Line2D) -> list[tuple[float, float]]:
    """The points (x, y) of a line."""
    return [(float(x), float(y)) for x, y in np.asarray(line.get_xydata())]


def chart(*args: object, **kwargs: object) -> Axes:
    """The axes of a line chart."""
    return line_chart(*args, x_label="rounds", **kwargs).axes[0]  # type: ignore[arg-type]


def test_every_series_has_its_line_through_its_points() -> None:
    axes = chart({"lake": [(0, 4.0), (5, 0.0)], "north": [(0, 2.0), (1, 1.0)]})
    assert [places(line) for line in axes.lines] == [[(0, 4.0), (5, 0.0)], [(0, 2.0), (1, 1.0)]]
    assert axes.get_xlabel() == "rounds"


def test_a_chart_begins_at_zero_and_shows_its_limit() -> None:
    axes = chart({"lake": [(0, 0.3), (1, 0.4)]}, limit=0.9)
    bottom, top = axes.get_ylim()
    assert bottom == 0
    assert top > 0.9
    assert [y for _, y in places(axes.lines[-1])] == [0.9, 0.9]


def test_rounds_are_whole_numbers() -> None:
    axes = chart({"lake": [(0, 1.0), (1, 2.0), (2, 1.0)]})
    assert all(tick == round(tick) for tick in axes.get_xticks())


def test_one_round_and_no_round_are_drawn_too() -> None:
    assert "nan" not in svg_element(line_chart({"lake": [(0, 1.0)], "north": []}, x_label="rounds"))
    assert "nan" not in svg_element(line_chart({}, x_label="rounds"))


def test_a_long_line_has_few_markers() -> None:
    line = line_chart({"lake": [(n, 1.0) for n in range(1000)]}, x_label="rounds")
    assert svg_element(line).count("<use") < 30


def test_neighbouring_series_differ_in_colour_and_in_marker() -> None:
    lines = chart({str(n): [(0, 1.0)] for n in range(6)}).lines
    assert len({line.get_color() for line in lines}) == 6
    assert len({str(line.get_marker()) for line in lines}) == 6
    assert chart({str(n): [(0, 1.0)] for n in range(9)}).lines[8].get_color() == lines[0].get_color()


def test_the_legend_shows_the_marks_of_the_chart() -> None:
    lines = chart({"lake": [(0, 1.0)], "north": [(0, 1.0)]}).lines
    for number, line in enumerate(lines):
        (mark,) = swatch(number, shape=True).axes[0].lines
        assert (mark.get_color(), mark.get_marker()) == (line.get_color(), line.get_marker())
    assert swatch(1, shape=False).axes[0].lines[0].get_marker() == "o"


def test_a_value_lies_inside_its_interval() -> None:
    _, whisker, value = interval_cell([FOUND]).axes[0].lines
    assert [x for x, _ in places(whisker)] == [0.25, 0.75]
    assert [x for x, _ in places(value)] == [0.5]


def test_of_two_values_the_first_is_hollow_and_above() -> None:
    axes = interval_cell([FOUND, FOUND]).axes[0]
    first, second = axes.lines[2], axes.lines[4]
    assert (first.get_markerfacecolor(), second.get_markerfacecolor()) == (PAPER, SERIES[0])
    assert places(first)[0][1] < places(second)[0][1]
    assert axes.yaxis_inverted()


def test_a_value_beyond_the_ends_stays_in_the_cell() -> None:
    lines = interval_cell([{"value": 1.0, "low": 0.9, "high": 1.2}]).axes[0].lines
    assert [x for x, _ in places(lines[1])] == [0.9, 1.0]


def test_chance_is_an_upright_line() -> None:
    assert [x for x, _ in places(interval_cell([FOUND], line=0.1).axes[0].lines[1])] == [0.1, 0.1]


def test_an_interval_is_small() -> None:
    assert len(svg_element(interval_cell([FOUND, FOUND], line=0.1))) < 2000


def test_every_pair_has_a_circle_a_triangle_and_a_line_between() -> None:
    images, reports = np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([[4.0, 5.0], [6.0, 7.0]])
    axes = pairs_chart([(images, reports), (images[:1], reports[:1])]).axes[0]
    joined, circles, triangles, *other = axes.lines
    assert places(joined)[0:2] == [(0, 1), (4, 5)]
    assert places(joined)[3:5] == [(2, 3), (6, 7)]
    assert np.isnan(places(joined)[2]).all(), "pairs are not joined to each other"
    assert (places(circles), circles.get_marker()) == ([(0, 1), (2, 3)], "o")
    assert (places(triangles), triangles.get_marker()) == ([(4, 5), (6, 7)], "^")
    assert {line.get_color() for line in other} == {SERIES[1]}
    assert axes.get_aspect() == 1, "distances are the same in both directions"


def test_embeddings_that_do_not_differ_are_one_place() -> None:
    assert "nan" not in svg_element(pairs_chart([(np.zeros((3, 2)), np.zeros((3, 2)))]))
