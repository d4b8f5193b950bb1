from __future__ import annotations

import re

import pytest

from fedaid.data.report.identifiers.rule import NO_MEASURE
from fedaid.data.report.scrub import scrub


@pytest.mark.parametrize(
    "date",
    [
        "1/2/2020", "01/02/20", "1-2-2020", "01.02.2020", "1.2.20", "2020-01-02", "2020/1/2", "2020.01.02", "20200102",
        "1 / 2 / 2020", "12-Mar-2020", "12MAR2020", "12 Mar 20", "12 march 2020", "Mar 12, 2020", "march 12 2020",
        "March 12th", "March 12th, 2020", "the 12th of March", "12. März 2020", "12. März", "3 février 2020",
        "1er mars 2020",
        "5 de mayo de 2020", "3 augustus 2020", "March 2020", "Mar. 2020", "Mar '20", "sept 2019", "03/2020", "3-2020",
        "03.2020", "2020-01-02T10:11:12", "1/2/'20", "May 3", "MAY 3, 2020", "Dec-12-2019", "12/Mar/2020", "Okt 2019",
        "12-Mar", "31.12.1999", "06 JAN 2021", "June 5, '19",
    ],
)  # fmt: skip
@pytest.mark.parametrize("frame", ["Seen {}.", "({})", "CT {}: clear", "{} clear", "since {}, stable"])
def test_a_date_is_found(date: str, frame: str) -> None:
    found = scrub(frame.format(date))
    assert found.counts == {"DATE": 1}
    assert not re.search(r"\d", found.text)


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("on 3/4", "on [DATE]"),
        ("compared to 12/31.", "compared to [DATE]."),
        ("radiograph from 3/4 shows", "radiograph from [DATE] shows"),
        ("Date: 3/4", "Date: [DATE]"),
        ("the exam of 7/19.", "the exam of [DATE]."),
        ("T: 03/04/21 0612", "T: [DATE] [TIME]"),
        ("Vergleich vom 03.04. ohne", "Vergleich vom [DATE] ohne"),
        ("le 03/04, stable", "le [DATE], stable"),
        ("since March", "since [DATE]"),
        ("in early May he", "in early [DATE] he"),
        ("March 3 and March 5", "[DATE] and [DATE]"),
    ],
)
def test_a_short_date_is_found_by_its_cue(text: str, scrubbed: str) -> None:
    assert scrub(text).text == scrubbed


@pytest.mark.parametrize(
    "text",
    [
        "grade 3/4", "on 3/4 views", "on 3/4 of the film", "C5/6", "1/2", "1.5.20 mm", "12/13 ribs", "in 2019", "T4-5",
        "may 3", "2 may represent", "March fracture", "prior CT 3/4 lobes", "0.3/4.2", "10-12-15 mm", "1.2.3",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_date_stays(text: str) -> None:
    assert scrub(text).text == text


@pytest.mark.parametrize(
    "time",
    [
        "14:30", "2:30 PM", "2:30pm", "7:05a", "11.15am",
        "02:30:15", "2:30 p.m.", "10 AM", "10am", "1430 hrs", "0730h", "14:30 Uhr",
        "14.30 Uhr",
        "14h30", "14:30h", "23:59:59.123",
    ],
)  # fmt: skip
def test_a_time_is_found(time: str) -> None:
    found = scrub(f"Called {time}, stable")
    assert (found.text, found.counts) == ("Called [TIME], stable", {"TIME": 1})


def test_a_time_without_a_colon_is_found_by_its_cue() -> None:
    assert scrub("read at 1430 today").text == "read at [TIME] today"
    assert scrub("window at 1430 HU").text == "window at 1430 HU"


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("90-year-old", "[AGE]-year-old"),
        ("92 y/o", "[AGE] y/o"),
        ("95yo", "[AGE]yo"),
        ("104 years old", "[AGE] years old"),
        ("aged 93", "aged [AGE]"),
        ("Age: 97", "Age: [AGE]"),
        ("Age/sex: 96/F", "Age/sex: [AGE]/F"),
        ("91F with cough", "[AGE]F with cough"),
        ("ninety-two year old", "[AGE] year old"),
        ("in her nineties", "in her [AGE]"),
        ("94-jährige Patientin", "[AGE]-jährige Patientin"),
        ("94 ans", "[AGE] ans"),
    ],
)
def test_an_age_above_89_is_found(text: str, scrubbed: str) -> None:
    assert scrub(text).text == scrubbed


@pytest.mark.parametrize(
    "text", ["89-year-old", "54 y/o man", "aged 40", "98 F", "101 F fever", "9 years", "95 mm", "190"]
)
def test_other_ages_and_numbers_stay(text: str) -> None:
    assert scrub(text).text == text


@pytest.mark.parametrize("unit", ["mm", " cm", " HU", "%", " %", "°", " x 3", "x3", " kVp", ".5", " mL"])
def test_a_number_before_a_unit_is_a_measurement(unit: str) -> None:
    assert re.match(rf"12{NO_MEASURE}", f"12{unit}") is None
