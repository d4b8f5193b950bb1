from __future__ import annotations

import numpy as np
import pytest

from admin.results.report.films.held_out import HeldOut
from admin.results.report.films.retrieval_examples import EXCERPT, example, site_examples

CORNERS = np.eye(4)


class Groups:
    """What an example needs of a data set."""

    def __init__(self, *numbers: int) -> None:
        self.text_groups = np.array(numbers)


def held_out(*groups: int, texts: tuple[str, ...] = ("clear", "effusion", "clear", "mass")) -> HeldOut:
    """Four studies."""
    pixels = np.random.default_rng(0).random((4, 8, 8)).astype(np.float16)
    return HeldOut(Groups(*groups), texts, (0, 1, 2, 3), pixels)  # type: ignore[arg-type]


def test_the_nearest_reports_come_first_and_its_own_is_marked() -> None:
    text = np.array([[1, 0, 0, 0], [0.8, 0.6, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    found = example("lake", held_out(0, 1, 2, 3), (CORNERS, text), 1)
    assert [(one["text"], one["own"]) for one in found.nearest] == [
        ("effusion", True), ("clear", False), ("clear", False),
    ]  # fmt: skip
    assert found.nearest[0]["cosine"] == pytest.approx(0.6)
    assert (found.place, found.of) == (1, 4)


def test_its_own_place_is_reported_when_it_is_not_among_the_first() -> None:
    found = example("lake", held_out(0, 1, 2, 3), (CORNERS, -CORNERS), 2)
    assert (found.place, found.of) == (4, 4)
    assert not any(one["own"] for one in found.nearest)


def test_equal_reports_count_as_one_and_each_is_its_own() -> None:
    found = example("lake", held_out(0, 1, 0, 3), (CORNERS, CORNERS), 0)
    assert found.of == 3
    assert found.nearest[0] == {"text": "clear", "cosine": 1.0, "own": True}


def test_a_long_report_is_shortened() -> None:
    texts = ("word " * 200, "b", "c", "d")
    found = example("lake", held_out(0, 1, 2, 3, texts=texts), (CORNERS, CORNERS), 0)
    assert len(found.nearest[0]["text"]) <= EXCERPT
    assert found.nearest[0]["text"].endswith("…")


def test_the_picture_is_in_the_page_itself() -> None:
    assert example("lake", held_out(0, 1, 2, 3), (CORNERS, CORNERS), 0).picture.startswith("data:image/png;base64,")


def test_no_more_are_shown_than_there_are() -> None:
    assert len(site_examples("lake", held_out(0, 1, 2, 3), (CORNERS, CORNERS), count=9)) == 4
    assert site_examples("lake", held_out(0, 1, 2, 3), (CORNERS, CORNERS), count=0) == []
