from __future__ import annotations

import re

from admin.results.report.strip import strip

FOUND = {"value": 0.5, "low": 0.25, "high": 0.75}


def test_a_value_lies_between_the_ends_with_its_whisker() -> None:
    chart = strip([FOUND], low=0, high=1)
    assert re.search(r'<circle cx="50.00%"', chart)
    assert re.search(r'<line x1="26.00%" x2="74.00%"', chart), "2 % are left free on either side"


def test_of_two_values_the_first_is_hollow() -> None:
    assert re.findall(r'<circle[^>]*class="(\w+)"', strip([FOUND, FOUND], low=0, high=1)) == ["hollow", "full"]


def test_what_is_not_told_is_not_drawn() -> None:
    assert "circle" not in strip([None], low=0, high=1)


def test_a_value_beyond_the_ends_stays_in_the_cell() -> None:
    assert 'cx="98.00%"' in strip([{"value": 2.0, "low": 1.5, "high": 3.0}], low=0, high=1)


def test_chance_is_a_line() -> None:
    assert re.search(r'x1="11.60%"[^>]*class="limit"', strip([FOUND], low=0, high=1, line=0.1))
