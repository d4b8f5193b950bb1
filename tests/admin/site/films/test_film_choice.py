from __future__ import annotations

import pytest

from admin.site.films.film_choice import FilmChoices, chosen_film
from admin.site.prepare.imaged_study import ImagedStudy

F, L, UNSURE = 0.5, -0.5, 0.0


@pytest.mark.parametrize(
    ("scores", "chosen"),
    [
        *[((L, F), 1), ((UNSURE, F), 1), ((F, F), 0), ((L, UNSURE), 1), ((L, L, UNSURE), 2), ((-0.25, 0.0), None)],
        *[
            ((UNSURE, UNSURE), None),
            ((L, L), None),
            ((L, UNSURE, UNSURE), None),
            ((UNSURE,), None),
            ((L,), None),
            ((F,), 0),
        ],
    ],
)
def test_of_unstated_films_only_a_sure_picture_decides(scores: tuple[float, ...], chosen: int | None) -> None:
    assert chosen_film(scores, unstated=True) == chosen


@pytest.mark.parametrize(
    ("scores", "chosen"), [((UNSURE, F), 0), ((L, F), 1), ((L, UNSURE), 1), ((L, L), 0), ((F, L), 0), ((-0.25, 0.0), 0)]
)
def test_of_stated_frontal_films_a_lateral_picture_is_passed_over(scores: tuple[float, ...], chosen: int) -> None:
    assert chosen_film(scores, unstated=False) == chosen


def study(level: int, *, unstated: bool = True) -> ImagedStudy:
    films = ("a", "b", "c")
    return ImagedStudy(
        "s", (), (), films, ("", "", "LL"), films, people=({}, {"sex": "F"}, {}), level=level, unstated=unstated
    )


def test_the_chosen_film_is_the_only_one_left_and_counted() -> None:
    choices = FilmChoices()
    settled = choices.settled(study(2), {"a": L, "b": F}.get)
    assert settled is not None
    assert (settled.images, settled.views, settled.paths, settled.people) == (("b",), ("",), ("b",), ({"sex": "F"},))
    assert choices.by_picture == 1


def test_an_open_study_is_none_and_a_study_without_a_choice_unchanged() -> None:
    choices = FilmChoices()
    assert choices.settled(study(2), {"a": UNSURE, "b": UNSURE}.get) is None
    assert choices.settled(study(1), {}.get) == study(1)
    assert choices.by_picture == 0


def test_where_no_film_of_the_level_can_be_used_the_others_are_left() -> None:
    settled = FilmChoices().settled(study(2), {}.get)
    assert settled is not None
    assert settled.images == ("c",)


def test_the_first_of_equal_frontal_films_counts_as_no_choice() -> None:
    choices = FilmChoices()
    settled = choices.settled(study(2, unstated=False), {"a": UNSURE, "b": F}.get)
    assert settled is not None
    assert (settled.images, choices.by_picture) == (("a",), 0)
