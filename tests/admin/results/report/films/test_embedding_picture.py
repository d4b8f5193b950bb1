from __future__ import annotations

import numpy as np
import pytest

from admin.results.report.films.embedding_picture import (
    MARGIN,
    MOST_PAIRS,
    SIDE,
    Pairs,
    cosines,
    drawn_pairs,
    embedding_picture,
    fit_to_square,
)


def some(count: int, *, seed: int = 0) -> Pairs:
    """Random unit-norm pairs."""
    both = np.random.default_rng(seed).normal(size=(2, count, 6))
    image, text = both / np.linalg.norm(both, axis=2, keepdims=True)
    return image, text


def test_every_pair_has_a_circle_a_triangle_and_a_line() -> None:
    drawing, _ = embedding_picture({"lake": some(5), "north": some(3, seed=1)}, title="after")
    assert drawing.count("<circle") == 8
    assert drawing.count("l4 7h-8z") == 8
    assert drawing.count("L") == 8
    assert 'class="cloud c1"' in drawing


def test_it_says_how_much_of_the_variance_it_holds() -> None:
    flat = np.zeros((20, 6))
    flat[:, :2] = np.random.default_rng(0).normal(size=(20, 2))
    assert embedding_picture({"lake": (flat[:10], flat[10:])}, title="")[1]["explained"] == pytest.approx(1)


def test_own_and_other_reports_are_told_apart() -> None:
    image = np.eye(4)
    assert cosines([(image, image)]) == {"pair_cosine": 1.0, "other_cosine": 0.0}
    assert cosines([(image, -image)])["pair_cosine"] == -1.0


def test_a_page_shows_an_equal_share_of_each_site() -> None:
    found = drawn_pairs({"lake": some(1000), "north": some(20)})
    assert [len(image) for image, _ in found.values()] == [MOST_PAIRS // 2, 20]


def test_a_pair_that_is_drawn_stays_a_pair() -> None:
    image, text = some(1000)
    drawn_image, drawn_text = drawn_pairs({"lake": (image, text)})["lake"]
    rows = [int(np.flatnonzero((image == row).all(axis=1))[0]) for row in drawn_image]
    np.testing.assert_array_equal(drawn_text, text[rows])


def test_places_fill_the_drawing_without_being_stretched() -> None:
    found = fit_to_square(np.array([[0.0, 0.0], [2.0, 1.0]]))
    assert found.min() == pytest.approx(MARGIN)
    assert found.max() == pytest.approx(SIDE - MARGIN)
    across, down = found[1] - found[0]
    assert across == pytest.approx(2 * down)


def test_embeddings_that_do_not_differ_are_one_place() -> None:
    assert np.isfinite(fit_to_square(np.zeros((3, 2)))).all()
