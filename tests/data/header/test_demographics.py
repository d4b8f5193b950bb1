from __future__ import annotations

import pytest

from fedaid.data.header.demographics import age_band, age_of, sex_of, view_group
from fedaid.data.header.terms import VIEWS


@pytest.mark.parametrize(
    ("cell", "group"),
    [("PA", "PA"), ("pa", "PA"), (" AP  Supine", "AP"), ("LL", "lateral"), ("L", "lateral"), ("oblique", ""), ("", "")],
)
def test_views_fall_into_three_groups(cell: str, group: str) -> None:
    assert view_group(cell) == group


def test_most_known_views_of_a_chest_have_a_group() -> None:
    assert {view_group(view) for view in VIEWS} == {"PA", "AP", "lateral", ""}


@pytest.mark.parametrize(
    ("cell", "sex"), [("F", "F"), ("female", "F"), ("m", "M"), ("Male", "M"), ("O", "O"), ("", ""), ("unknown", "")]
)
def test_sex_is_a_letter_of_dicom_or_unknown(cell: str, sex: str) -> None:
    assert sex_of(cell) == sex


@pytest.mark.parametrize(
    ("cell", "age"),
    [
        *[("57", "57"), ("57.0", "57"), ("057Y", "57"), ("0", "0"), ("89", "89"), ("90+", "90"), ("104", "90")],
        *[("", ""), ("-3", ""), ("121", ""), ("57.5", ""), ("adult", ""), ("018M", ""), ("1957-02-03", ""), ("٣", "")],
    ],
)
def test_age_is_whole_years_with_all_above_89_as_one(cell: str, age: str) -> None:
    assert age_of(cell) == age


@pytest.mark.parametrize(
    ("age", "band"),
    [("0", "<40"), ("39", "<40"), ("40", "40-64"), ("64", "40-64"), ("65", "65-79"), ("79", "65-79"), ("80", "80+")],
)
def test_bands_meet_where_they_should(age: str, band: str) -> None:
    assert age_band(age) == band


def test_an_unknown_age_has_no_band() -> None:
    assert age_band("unknown") == ""
