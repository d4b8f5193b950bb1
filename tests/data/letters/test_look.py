from __future__ import annotations

import numpy as np
import pytest

from fedaid.data.letters import look
from fedaid.data.letters.letters import Letters
from fedaid.data.letters.look import LEAST_SIDE, SMALLEST, letters_in
from fedaid.data.letters.reader import Words
from fedaid.data.letters.screen import Place, full_grey
from fedaid.data.pixels.grey_picture import grey_picture
from tests.data.letters.conftest import Film


def line(text: str, *, score: float = 0.9, line_score: float = 0.9, length: float = 1.0, area: float = 1.0) -> Words:
    return Words(text, score, line_score, length, area)


NAME = "PELLOWICK UNA 03.02.1948"


@pytest.mark.parametrize("way", ["quick", "ocr"])
@pytest.mark.parametrize(
    "drawn",
    [{}, {"high": 40}, {"top": 250, "left": 120, "bright": 0.0}, {"turns": 1}, {"turns": 3, "left": 480}, {"high": 11}],
    ids=["small", "large", "black on the chest", "upwards", "downwards", "tiny"],
)
def test_a_name_is_found(way: str, drawn: dict[str, float], film: Film) -> None:
    letters = letters_in(film(NAME, **drawn), way)
    assert letters.found
    assert letters.seen
    assert 0 < letters.share < 0.35


@pytest.mark.parametrize("text", ["", "L", "PORTABLE AP SUPINE 14:32", "LIEGEND", "R PA ERECT"])
def test_a_marker_is_read_and_no_name(text: str, film: Film) -> None:
    assert letters_in(film(text), "ocr") == Letters(found=False, share=0.0, seen=True)


def test_the_screen_cannot_tell_a_marker_from_a_name(film: Film) -> None:
    assert letters_in(film("PORTABLE AP SUPINE 14:32"), "quick").found
    assert not letters_in(film("L"), "quick").found


def test_stored_levels_are_looked_at_as_they_are_shown(film: Film) -> None:
    levels = np.rint(4095 * film(NAME)).astype(np.uint16)
    dark_is_dense = grey_picture(levels, lambda stored, counts: -stored.astype(float))
    assert letters_in(dark_is_dense, "ocr").found
    assert full_grey(dark_is_dense).mean() + full_grey(grey_picture(levels)).mean() == pytest.approx(255, abs=1)


def test_of_a_small_picture_nobody_says_that_it_has_no_letters(film: Film) -> None:
    plain = film()
    assert not letters_in(plain[: LEAST_SIDE - 1, : LEAST_SIDE - 1], "ocr").seen
    assert letters_in(plain[:LEAST_SIDE, :100], "quick").seen


def test_a_name_in_a_small_picture_is_found_all_the_same(film: Film) -> None:
    letters = letters_in(film("PELLOWICK", high=20)[:120, :150], "ocr")
    assert (letters.found, letters.seen) == (True, False)


def test_at_a_tiny_picture_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "full_grey", None)
    noise = np.random.default_rng(0).random((SMALLEST - 1, 40), dtype=np.float32)
    assert letters_in(noise, "ocr") == Letters(found=False, share=0.0, seen=False)


def test_many_places_are_read_as_quarters(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[tuple[int, ...]] = []

    def spy(grey: np.ndarray) -> list[Words]:
        read.append(grey.shape)
        return [line("PELLOWICK", area=100.0), line("L", area=7.0), line("1", score=0.2, area=50.0)]

    monkeypatch.setattr("fedaid.data.letters.reader.read_words", spy)
    monkeypatch.setattr(look, "places", lambda grey, sensitivity: [Place(0, 0, 9, 9)] * (look.MOST_PLACES + 1))
    letters = letters_in(np.zeros((800, 800), dtype=np.float32), "ocr")
    assert len(read) == 4
    assert all(min(shape) >= 400 for shape in read)
    assert letters.share == pytest.approx(4 * 107 / 640000, abs=1e-6)


@pytest.mark.parametrize(
    ("read", "found"),
    [(line("AP"), False), (line("Pellowick"), True), (line("Pellowick", score=0.5), False),
     (line("", length=3.0), True), (line("", length=2.0), False), (line("", line_score=0.6, length=3.0), False),
     (line("L", length=3.0), True), (line("L", length=1.5), False), (line("AP", score=0.5, length=4.0), True)],
)  # fmt: skip
def test_a_line_that_cannot_be_read_may_be_a_name(read: Words, found: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fedaid.data.letters.reader.read_words", lambda grey: [read])
    monkeypatch.setattr(look, "places", lambda grey, sensitivity: [Place(0, 0, 9, 9)])
    assert letters_in(np.zeros((800, 800), dtype=np.float32), "ocr").found == found


def test_a_name_in_a_script_that_the_reader_does_not_know_is_found(film: Film) -> None:
    assert letters_in(film("ПРОСКОВИН АРТЕМИЙ"), "ocr").found
