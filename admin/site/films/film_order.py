"""The order of the films of a study: the frontal ones first, and how many of them only a picture can tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fedaid.data.header.views import film_views

RANKS = {"PA": 0, "POSTERO-ANTERIOR": 0, "AP": 1, "AP SUPINE": 1, "ANTERO-POSTERIOR": 1, "FRONTAL": 2}
FRONTAL, UNSTATED, OTHER = 2, 3, 4


class Film(NamedTuple):
    """What is known of one film.

    Attributes:
        views: by :data:`fedaid.data.header.views.SOURCES`, or () if its header states none.
        instance: of the film; equal for copies of one file, empty if not stated.
        path: decides between equals.
    """

    views: Sequence[str]
    instance: str
    path: str


@dataclass(frozen=True)
class FilmOrder:
    """The films of a study in order.

    Attributes:
        numbers: number of each film, the preferred one first.
        views: view of each film, in this order.
        level: how many of the first films are all stated to be frontal, or all unstated, copies left out; a picture
            decides among several. It is 1 if the first film is a lateral or another view.
        unstated: whether the view of the first film is not stated.
        conflicts: how many films state a frontal and a lateral view.
    """

    numbers: tuple[int, ...]
    views: tuple[str, ...]
    level: int
    unstated: bool
    conflicts: int


def preference(view: str) -> int:
    """Return the rank of a view: PA, AP, frontal, not stated, all others."""
    return RANKS.get(view, OTHER if view else UNSTATED)


def film_order(films: Sequence[Film]) -> FilmOrder:
    """Return the order of a study's films: by rank, copies after the films that they copy, then by path."""
    by_path = sorted(range(len(films)), key=lambda number: films[number].path)
    first_of = _originals(films, by_path)
    own = sorted(set(first_of.values()))
    copies = set(by_path).difference(own)
    seen = dict(zip(own, film_views([films[number].views for number in own]), strict=True))
    stated = [seen[first_of[number]] for number in range(len(films))]
    ranks = [preference(film.view) for film in stated]
    sides = [max(rank, FRONTAL) for rank in ranks]  # what a header calls PA and AP may be a film from the side
    numbers = sorted(by_path, key=lambda number: (sides[number], number in copies, ranks[number]))
    first = sides[numbers[0]]
    level = sum(sides[number] == first for number in numbers if number not in copies)
    return FilmOrder(
        numbers=tuple(numbers),
        views=tuple(stated[number].view for number in numbers),
        level=level if first < OTHER else 1,
        unstated=first == UNSTATED,
        conflicts=sum(film.conflict for film in seen.values()),
    )


def _originals(films: Sequence[Film], by_path: Sequence[int]) -> dict[int, int]:
    """Film → the first film of its instance; a film without an instance is its own."""
    first: dict[str, int] = {}
    return {n: first.setdefault(films[n].instance, n) if films[n].instance else n for n in by_path}
