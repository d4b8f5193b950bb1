from __future__ import annotations

from admin.site.films.film_order import Film, film_order, preference


def film(view: str = "", path: str = "", *, instance: str = "", described: str = "") -> Film:
    return Film((view, "", "", "", described), instance, path)


def test_views_are_ranked() -> None:
    assert sorted(["LL", "", "FRONTAL", "PA", "AP", "OBLIQUE"], key=preference) == [
        "PA",
        "AP",
        "FRONTAL",
        "",
        "LL",
        "OBLIQUE",
    ]


def test_one_film_needs_no_choice() -> None:
    order = film_order([film("LL", "a"), film("PA", "b")])
    assert (order.numbers, order.views, order.level, order.unstated) == ((1, 0), ("PA", "LL"), 1, False)


def test_all_frontal_films_are_on_a_level_or_all_unstated_ones_and_those_of_other_views_never() -> None:
    assert film_order([film(path="b"), film(path="a"), film("LL")]).level == 2
    assert film_order([film(path="b"), film(path="a"), film("LL")]).unstated
    stated = film_order([film("PA", "b"), film("PA", "a"), film("AP")])
    assert (stated.numbers, stated.level, stated.unstated) == ((1, 0, 2), 3, False)
    copied = film_order([film("PA", "a", instance="1"), film("AP", "b", instance="2"), film("PA", "c", instance="1")])
    assert (copied.numbers, copied.level) == ((0, 1, 2), 2)
    assert film_order([film("AP"), film()]).level == 1
    assert film_order([film("LL"), film("RL")]).level == 1


def test_copies_of_one_film_are_one_film_with_its_words() -> None:
    order = film_order([film(described="PA", instance="1", path="b"), film(described="PA", instance="1", path="a")])
    assert (order.numbers, order.views, order.level) == ((1, 0), ("PA", "PA"), 1)


def test_words_that_all_films_share_are_left_out() -> None:
    order = film_order([film(described="PA", instance="1", path="b"), film(described="PA", instance="2", path="a")])
    assert (order.views, order.level, order.unstated) == (("", ""), 2, True)


def test_films_that_contradict_themselves_are_counted() -> None:
    order = film_order([film("PA", described="LATERAL"), film("PA", described="PA")])
    assert (order.conflicts, order.views, order.numbers) == (1, ("PA", ""), (1, 0))
