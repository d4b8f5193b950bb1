from __future__ import annotations

import pytest

from fedaid.data.letters.markers import MOST_SHORT, WORDS, identifies, is_marker


@pytest.mark.parametrize(
    "line",
    ["L", "R", "PA", "AP SUPINE", "Portable", "R PA ERECT", "14:32", "08:15 AM", "8.15 Uhr", "13h45", "LINKS", "RECHTS",
     "L tb", "R  KM", "LIEGENDAUFNAHME", "Auf Station",
     "Décubitus", "VÄNSTER", "høyre", "BIPEDESTACIÓN", "Em pé", "125 kV 2,5 mAs",
     "SID 180 cm", "SEMI-ERECT", "右", "仰卧位", "ポータブル", "Лежа", "좌", "AP/LAT", "(R)", "2 of 3", "14:32:05"],
)  # fmt: skip
def test_markers_of_several_languages_identify_nobody(line: str) -> None:
    assert not identifies([line])


@pytest.mark.parametrize(
    "line",
    ["PELLOWICK", "Pellowick^Una", "ID 774105", "774105", "0815", "12.03.2017", "1942-03-05", "14.09.51", "03/21",
     "12 MAR 2017", "19:42 03/05", "14:32 PELLOWICK", "R PELLOWICK", "李明", "김철수", "ПРОСКОВИН", "AP SUPINE DOE",
     "MRN:00713945", "P3llow1ck"],
)  # fmt: skip
def test_a_name_a_number_or_a_date_identifies_beside_any_marker(line: str) -> None:
    assert identifies([line])


@pytest.mark.parametrize(
    "line", ["APSUPINE", "PORTABLEAP", "PORTABLEAPSUPINE", "P0RTABLE", "111111", "lI1I1", "5UPINE", "SEMIERECTPA"]
)
def test_markers_that_are_read_without_a_space_or_with_a_digit_for_a_letter_are_markers(line: str) -> None:
    assert not identifies([line])


@pytest.mark.parametrize("word", ["RAPP", "PALMER", "LAP", "LLAP", "PALL", "RLAO"])
def test_short_markers_do_not_make_a_name_harmless(word: str) -> None:
    assert not is_marker(word)


@pytest.mark.parametrize("word", ["INSPIRATIO", "ORTABLE", "SEMI-ERE", "TEHEND"])
def test_a_marker_at_the_edge_of_a_film_may_lack_two_letters(word: str) -> None:
    assert is_marker(word)


@pytest.mark.parametrize(
    ("word", "known"),
    [
        ("liepend", True),
        ("llegend", True),
        ("liepead", False),
        ("Bettaufrahme", True),
        ("SAT", False),
        ("Ersct", False),
    ],
)
def test_one_letter_in_six_of_a_marker_may_be_mistaken(word: str, known: bool) -> None:
    assert is_marker(word) == known


@pytest.mark.parametrize("word", ["PORTA", "ERTAB", "LEFT-HAND", "ECTS"])
def test_a_shorter_part_of_a_marker_may_be_a_name(word: str) -> None:
    assert not is_marker(word)


def test_a_name_that_is_read_letter_by_letter_identifies() -> None:
    letters = ["Q", "U", "B", "N", "T", "Y", "V"]
    assert identifies(letters)
    assert not identifies(letters[:MOST_SHORT])


def test_the_list_has_no_word_that_could_not_be_read() -> None:
    assert len(WORDS) > 200
    assert all(word.isalpha() and word == word.casefold() for word in WORDS)
