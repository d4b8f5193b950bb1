from __future__ import annotations

import re

from admin.results.report.line_chart import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Frame,
    line_chart,
    ticks,
    whole_ticks,
)


def lines_of(chart: str) -> list[list[tuple[float, float]]]:
    """The places of the polylines of a chart."""
    found = re.findall(r'<polyline points="([^"]*)"', chart)
    return [[(float(x), float(y)) for x, y in (place.split(",") for place in line.split())] for line in found]


def test_a_line_goes_through_its_points() -> None:
    chart = line_chart({"lake": [(0, 4.0), (5, 0.0)]}, x_label="rounds", y_label="loss")
    assert lines_of(chart) == [[(LEFT, TOP), (WIDTH - RIGHT, HEIGHT - BOTTOM)]]


def test_every_series_has_its_line() -> None:
    chart = line_chart({"lake": [(0, 1.0), (1, 2.0)], "north": [(0, 2.0), (1, 1.0)]}, x_label="rounds", y_label="loss")
    assert len(lines_of(chart)) == 2
    assert "lake, north" in chart


def test_a_limit_lies_inside_the_chart() -> None:
    chart = line_chart({"lake": [(0, 0.3), (1, 0.4)]}, x_label="round", y_label="weight", limit=0.9)
    found = re.search(r'<line x1="[^"]*" y1="([^"]*)"[^>]*class="limit"', chart)
    assert found
    assert TOP <= float(found[1]) < HEIGHT - BOTTOM


def test_one_round_and_no_round_are_drawn_too() -> None:
    assert "nan" not in line_chart({"lake": [(0, 1.0)], "north": []}, x_label="rounds", y_label="loss")


def test_a_long_line_has_few_markers() -> None:
    chart = line_chart({"lake": [(n, 1.0) for n in range(1000)]}, x_label="rounds", y_label="loss")
    assert chart.count("<circle") < 30


def test_ticks_reach_from_zero_to_beyond_the_highest() -> None:
    assert ticks(3.3) == [0, 1, 2, 3, 4]
    assert whole_ticks([0, 1, 2, 3]) == [0, 1, 2, 3]
    assert whole_ticks([0, 200])[-1] == 200


def test_a_frame_without_width_divides_by_nothing() -> None:
    assert Frame([2.0], [0.0]).at(2.0, 0.0) == (LEFT, HEIGHT - BOTTOM)
