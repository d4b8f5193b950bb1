from __future__ import annotations

from tests.benchmarks.letter_films import letter_film
from tests.benchmarks.letters_in_films import letter_numbers


def test_names_are_found_and_markers_are_read() -> None:
    numbers = letter_numbers(4)
    assert (numbers["letters_found"], numbers["letters_false"]) == (1.0, 0.0)
    assert 0.0 <= float(str(numbers["letters_quick_false"])) <= 1.0
    assert 0.0 < float(str(numbers["letters_seconds_bare"])) < float(str(numbers["letters_seconds_named"]))


def test_a_film_is_drawn_again_as_it_was() -> None:
    first, second = letter_film("name", 3), letter_film("name", 3)
    assert first.told == second.told
    assert (first.levels == second.levels).all()
    assert letter_film("marker", 3).told != first.told
