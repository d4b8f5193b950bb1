from __future__ import annotations

from admin.results.report import wording

FOUND = {"value": 0.5957, "low": 0.4947, "high": 0.6893}


def test_shares_are_percents_with_one_decimal() -> None:
    assert wording.percent(0.5957) == "59.6 %"
    assert wording.percents(FOUND) == "59.6 % (49.5 to 68.9)"
    assert wording.span(FOUND) == "49.5 to 68.9 %"


def test_differences_have_their_sign() -> None:
    assert wording.points({"value": 0.02, "low": -0.031, "high": 0.071}) == "+2.0 points (−3.1 to +7.1)"


def test_what_is_null_is_not_reported() -> None:
    assert {write(None) for write in (wording.percent, wording.percents, wording.points, wording.plain)} == {
        "not reported"
    }


def test_measures_have_two_decimals() -> None:
    assert wording.plain(FOUND) == "0.60 (0.49 to 0.69)"
    assert wording.apart({"value": 0.1, "low": -0.021, "high": 0.2}) == "+0.10 (−0.02 to +0.20)"


def test_a_measure_without_limits_keeps_its_value() -> None:
    unlimited = {"value": 0.5957, "low": None, "high": None}
    assert wording.plain(unlimited) == "0.60 (not reported)"
    assert wording.limits(unlimited) == "not reported"
    assert wording.apart(unlimited) == "+0.60 (not reported)"


def test_bytes_are_megabytes_or_less() -> None:
    assert [wording.size(count) for count in (123_100_000, 2664)] == ["123.1 MB", "2.7 kB"]
