from __future__ import annotations

import numpy as np
import pytest

from admin.results.report.films.embedding_picture import (
    MOST_PAIRS,
    Pairs,
    cosines,
    drawn_pairs,
    embedding_picture,
)


def some(count: int, *, seed: int = 0) -> Pairs:
    """Random unit-norm pairs."""
    both = np.random.default_rng(seed).normal(size=(2, count, 6))
    image, text = both / np.linalg.norm(both, axis=2, keepdims=True)
    return image, text


def test_every_pair_is_shown() -> None:
    figure, _ = embedding_picture({"lake": some(5), "north": some(3, seed=1)})
    assert [len(np.asarray(line.get_xydata())) for line in figure.axes[0].lines] == [15, 5, 5, 9, 3, 3]


def test_embeddings_in_a_plane_are_shown_with_their_distances() -> None:
    flat = np.zeros((20, 6))
    flat[:, :2] = np.random.default_rng(0).normal(size=(20, 2))
    figure, summary = embedding_picture({"lake": (flat[:10], flat[10:])})
    assert summary["explained"] == pytest.approx(1)
    shown = np.concatenate([np.asarray(line.get_xydata()) for line in figure.axes[0].lines[1:]])
    np.testing.assert_allclose(np.linalg.norm(shown - shown[0], axis=1), np.linalg.norm(flat - flat[0], axis=1))


def test_own_and_other_reports_are_reported_apart() -> None:
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
