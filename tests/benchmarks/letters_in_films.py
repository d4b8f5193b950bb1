"""How many names in the pixels are found, how many films without a name are suspected, and what a look costs.

``python -m tests.benchmarks.letters_in_films`` prints the numbers. The films are drawn; the real ones of
``../shared/data`` are added where they are.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import admin  # noqa: F401 - makes custom/fedaid importable
from fedaid.data.letters.letters import OCR, QUICK
from fedaid.data.letters.look import letters_in
from tests.benchmarks.letter_films import letter_film
from tests.real_data import FOLDER

FILMS = 60


@dataclass(frozen=True)
class Looks:
    """What was seen of some films: how many films, in how many letters were found, processor seconds of each film."""

    films: int
    found: int
    seconds: float


def looks(films: Iterable[NDArray[np.float32]], way: str) -> Looks:
    """Look at films one way, on one processor."""
    number, found, spent = 0, 0, 0.0
    for film in films:
        begun = time.process_time()
        found += letters_in(film, way).found
        spent += time.process_time() - begun
        number += 1
    return Looks(number, found, spent / max(1, number))


def drawn(kind: str, films: int) -> Iterator[NDArray[np.float32]]:
    """Films of a kind, see :class:`tests.benchmarks.letter_films.LetterFilm`."""
    return (letter_film(kind, seed).grey for seed in range(films))


def real(folder: str, step: int) -> Iterator[NDArray[np.float32]]:
    """Every so many real film of a folder of ``../shared/data``; none if it is not there."""
    for path in sorted((FOLDER / folder / "images").glob("*"))[::step]:
        yield np.asarray(Image.open(path).convert("L"), dtype=np.float32) / 255


def letter_numbers(films: int = FILMS) -> dict[str, object]:
    """Return the numbers of reading, which is the default, and those of the screen alone.

    ``letters_found`` is the share of the films with a name that are found. ``letters_false`` is the share of the films
    with markers only, and with no letters, that are suspected.

    Args:
        films: of each kind.
    """
    list(drawn("name", 1))
    looks(drawn("name", 1), OCR)  # loads the models
    numbers: dict[str, object] = {}
    for way, name in ((OCR, "letters"), (QUICK, "letters_quick")):
        named, marked, bare = (looks(drawn(kind, films), way) for kind in ("name", "marker", "none"))
        numbers |= {
            f"{name}_found": round(named.found / named.films, 3),
            f"{name}_false": round((marked.found + bare.found) / (marked.films + bare.films), 3),
            f"{name}_seconds_named": round(named.seconds, 3),
            f"{name}_seconds_marked": round(marked.seconds, 3),
            f"{name}_seconds_bare": round(bare.seconds, 3),
        }
    return numbers


def real_numbers(step: int = 1) -> dict[str, object]:
    """Return how many real films are suspected of a name, of how many; empty without the real films.

    Args:
        step: every so many film of ``real_cxr``; of ``kermany_cxr`` every tenth of these.
    """
    numbers: dict[str, object] = {}
    for folder, each in (("real_cxr", step), ("kermany_cxr", 10 * step)):
        for way in (OCR, QUICK):
            seen = looks(real(folder, each), way)
            if seen.films:
                numbers[f"{folder}_{way}"] = {
                    "films": seen.films,
                    "found": seen.found,
                    "seconds": round(seen.seconds, 3),
                }
    return numbers


if __name__ == "__main__":
    print(json.dumps(letter_numbers() | real_numbers(), indent=1))
