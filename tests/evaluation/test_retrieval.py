from __future__ import annotations

from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from fedaid.evaluation.retrieval import (
    Ranks,
    batch_accuracy,
    best_ranks,
    recall_at,
    resampled_retrieval,
    retrieval,
    retrieval_ranks,
    split_metrics,
)
from fedaid.models.dual_encoder import Embeddings

EYE = np.eye(4)


def unit(rows: int, dim: int, seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(size=(rows, dim))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def test_ranks_of_a_matrix_written_by_hand() -> None:
    similarity = np.array([[0.9, 0.1, 0.5], [0.8, 0.2, 0.3], [0.7, 0.6, 0.5]])
    assert best_ranks(similarity, np.eye(3, dtype=bool)).tolist() == [0, 2, 2]


def test_the_best_of_several_correct_answers_counts() -> None:
    similarity, correct = np.array([[0.1, 0.5, 0.9, 0.4]]), np.array([[True, False, True, False]])
    assert best_ranks(similarity, correct).tolist() == [0]


def test_a_correct_answer_is_not_in_the_way_of_another() -> None:
    similarity, correct = np.array([[0.9, 0.8, 0.7]]), np.array([[False, True, True]])
    assert best_ranks(similarity, correct).tolist() == [1]


def test_ties_count_against_the_query() -> None:
    assert best_ranks(np.zeros((2, 5)), np.eye(2, 5, dtype=bool)).tolist() == [4, 4]


def test_nan_counts_against_the_query() -> None:
    assert best_ranks(np.full((2, 5), np.nan), np.eye(2, 5, dtype=bool)).tolist() == [4, 4]


def test_a_wrong_answer_that_is_nan_counts_against_the_query() -> None:
    assert best_ranks(np.array([[0.5, np.nan, 0.1]]), np.array([[True, False, False]])).tolist() == [1]


def test_recall_is_the_share_of_ranks_below_k() -> None:
    assert [recall_at(np.array([0, 1, 4, 9]), k) for k in (1, 5, 10)] == [0.25, 0.75, 1.0]


def test_perfect_embeddings_are_all_found() -> None:
    found = retrieval(EYE, EYE, np.arange(4))
    assert set(found.values()) == {1.0}
    assert len(found) == 9


def test_both_directions_of_a_case_worked_by_hand() -> None:
    # image 1 lies nearest text 0; text 0 and text 1 both lie nearest to their own image
    image = np.array([[1.0, 0.0], [0.8, 0.6]])
    text = np.array([[1.0, 0.0], [0.0, 1.0]])
    found = retrieval(image, text, np.arange(2), ks=(1,))
    assert found == {"image_to_text_recall_at_1": 0.5, "text_to_image_recall_at_1": 1.0, "recall_at_1": 0.75}


def test_equal_texts_are_one_answer() -> None:
    # three images of one normal report and one of another: two different texts, so k = 2 finds every text
    image, text = EYE, EYE[[3, 3, 3, 0]]
    found = retrieval(image, text, np.array([7, 7, 7, 2]), ks=(1, 2))
    assert found["image_to_text_recall_at_1"] == 0
    assert found["image_to_text_recall_at_2"] == 1


def test_a_text_finds_any_image_that_it_belongs_to() -> None:
    image, text = EYE, EYE[[1, 1, 2, 3]]
    assert retrieval(image, text, np.array([0, 0, 1, 2]), ks=(1,))["text_to_image_recall_at_1"] == 1


def test_collapsed_embeddings_find_nothing() -> None:
    same = np.tile(unit(1, 8, 0), (20, 1))
    assert set(retrieval(same, same, np.arange(20)).values()) == {0.0}


def test_embeddings_of_a_diverged_model_find_nothing() -> None:
    broken = np.full((20, 8), np.nan)
    assert set(retrieval(broken, broken, np.arange(20)).values()) == {0.0}


def test_blind_guessing_finds_k_of_n() -> None:
    found = retrieval(unit(2000, 16, 0), unit(2000, 16, 1), np.arange(2000), ks=(200,))
    assert found["image_to_text_recall_at_200"] == pytest.approx(0.1, abs=0.02)
    assert found["text_to_image_recall_at_200"] == pytest.approx(0.1, abs=0.02)


def test_the_order_of_the_studies_does_not_matter() -> None:
    image, text, group = unit(30, 8, 0), unit(30, 8, 1), np.arange(30)
    order = np.random.default_rng(2).permutation(30)
    assert retrieval(image[order], text[order], group[order]) == retrieval(image, text, group)


def test_ranks_give_the_hits_of_every_query() -> None:
    # images 0 and 1 share a text and lie on it; image 2 lies on that text, too, and its own text is second
    image, text = EYE[[0, 0, 0]], EYE[[0, 0, 1]]
    ranks = retrieval_ranks(image, text, np.array([5, 5, 8]))
    assert ranks.image.tolist() == [0, 0, 1]
    assert ranks.text.tolist() == [1, 2]  # image 2 ties with the images of the first text; all tie for the second
    assert ranks.text_of_image.tolist() == [0, 0, 1]


def test_without_a_draw_the_resampled_recalls_are_the_recalls() -> None:
    image, text, group = unit(30, 4, 0), unit(30, 4, 1), np.random.default_rng(2).integers(0, 12, 30)
    once = resampled_retrieval(retrieval_ranks(image, text, group), np.ones((1, 30)))
    expected = retrieval(image, text, group)
    assert {name: recall[0] for name, recall in once.items()} == pytest.approx(expected)


def test_a_resample_weights_the_queries_and_keeps_the_answers() -> None:
    rng = np.random.default_rng(3)
    image, text, group = unit(20, 4, 0), unit(20, 4, 1), rng.integers(0, 8, 20)
    ranks, weights = retrieval_ranks(image, text, group), rng.integers(0, 3, (6, 20)).astype(float)
    found = resampled_retrieval(ranks, weights, ks=(3,))
    for number, row in enumerate(weights):
        there = np.average(ranks.image < 3, weights=row)
        of_text = [row[ranks.text_of_image == m].mean() for m in range(len(ranks.text))]
        back = np.average(ranks.text < 3, weights=of_text)
        assert found["image_to_text_recall_at_3"][number] == pytest.approx(there)
        assert found["text_to_image_recall_at_3"][number] == pytest.approx(back)
        assert found["recall_at_3"][number] == pytest.approx((there + back) / 2)


def pairs(count: int, seed: int, *, noise: float = 0.8) -> tuple[np.ndarray, np.ndarray]:
    """Images and texts of which each pair is as hard to find as any other, however many there are."""
    what, rng = unit(count, 16, seed), np.random.default_rng(seed + 1)
    one, other = (what + noise * rng.normal(size=what.shape) / 4 for _ in range(2))
    return tuple(side / np.linalg.norm(side, axis=1, keepdims=True) for side in (one, other))  # type: ignore[return-value]


def accuracy(image: np.ndarray, text: np.ndarray, group: np.ndarray, *, batch_size: int) -> float:
    return batch_accuracy(retrieval_ranks(image, text, group), batch_size=batch_size)


def over_all_batches(similarity: np.ndarray, correct: np.ndarray, batch_size: int) -> float:
    """For every query the share of all batches of its wrong answers in which a correct one is nearest; their mean."""
    shares = []
    for row, own in zip(similarity, correct, strict=True):
        best, wrong = row[own].max(), row[~own]
        batches = list(combinations(wrong, min(batch_size - 1, len(wrong))))
        shares.append(np.mean([all(value < best for value in batch) for batch in batches]))
    return float(np.mean(shares))


def test_accuracy_in_a_batch_worked_by_hand() -> None:
    # of two wrong answers 0, 1 and 2 are nearer: one drawn leaves 1, 1/2 and 0; back 1, 1 and 0
    ranks = Ranks(np.array([0, 1, 2]), np.array([0, 0, 2]), np.arange(3))
    assert batch_accuracy(ranks, batch_size=2) == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert batch_accuracy(ranks, batch_size=3) == pytest.approx((1 / 3 + 2 / 3) / 2)


@pytest.mark.parametrize("batch_size", [1, 2, 4, 7, 40])
@pytest.mark.parametrize("groups", [range(8), [0, 0, 0, 1, 2, 2, 3, 4], [0] * 8])
def test_accuracy_in_a_batch_is_the_mean_over_all_batches_also_with_duplicates(groups: object, batch_size: int) -> None:
    group = np.array(groups)
    image, text = unit(8, 3, 0), unit(8, 3, 1)[group]
    _, first = np.unique(group, return_index=True)
    similarity, correct = image @ text[first].T, group[:, None] == group[first][None, :]
    there, back = (over_all_batches(*pair, batch_size) for pair in ((similarity, correct), (similarity.T, correct.T)))
    assert accuracy(image, text, group, batch_size=batch_size) == pytest.approx((there + back) / 2)


def test_accuracy_in_a_batch_larger_than_the_split_is_recall_at_1() -> None:
    image, text = pairs(12, 0)
    first = retrieval(image, text, np.arange(12), ks=(1,))["recall_at_1"]
    assert 0 < first < 1
    for batch_size in (12, 13, 500):
        assert accuracy(image, text, np.arange(12), batch_size=batch_size) == pytest.approx(first)


def test_a_query_alone_in_its_batch_is_found_and_a_collapsed_model_finds_nothing_else() -> None:
    same = np.tile(unit(1, 8, 0), (20, 1))
    assert accuracy(same, same, np.arange(20), batch_size=1) == 1
    assert accuracy(same, same, np.arange(20), batch_size=2) == 0


def test_a_blind_guess_is_right_in_one_of_as_many_as_the_batch_holds() -> None:
    found = accuracy(unit(800, 16, 0), unit(800, 16, 1), np.arange(800), batch_size=8)
    assert found == pytest.approx(1 / 8, abs=0.015)


def test_accuracy_in_a_batch_is_on_average_that_of_smaller_splits_of_the_same_pairs() -> None:
    image, text = pairs(9, 3)
    parts = [list(rows) for rows in combinations(range(9), 5)]
    smaller = [accuracy(image[rows], text[rows], np.arange(5), batch_size=3) for rows in parts]
    assert accuracy(image, text, np.arange(9), batch_size=3) == pytest.approx(np.mean(smaller))


def test_a_large_and_a_small_split_of_equally_hard_pairs_have_one_accuracy_and_two_recalls() -> None:
    def both(count: int, seed: int) -> tuple[float, float]:
        image, text, group = *pairs(count, seed), np.arange(count)
        return accuracy(image, text, group, batch_size=8), retrieval(image, text, group)["recall_at_5"]

    large, small = both(1000, 0), np.mean([both(20, seed) for seed in range(1, 120, 2)], axis=0)
    assert large[0] == pytest.approx(small[0], abs=0.03)
    assert large[1] < small[1] - 0.3


@pytest.mark.parametrize("loss", [0.25, float("nan")])
def test_a_site_reports_a_loss_only_where_its_split_fills_a_batch(loss: float) -> None:
    eye, groups = torch.eye(4), np.arange(4)
    swapped = Embeddings(eye, eye[[0, 1, 3, 2]])  # two of four pairs are found at once, the others second
    found = split_metrics(SimpleNamespace(loss=loss, embeddings=swapped, text_groups=groups, batch_size=2))
    assert found.pop("loss", None) == (loss if loss == loss else None)
    assert found["recall_at_1"] == 0.5
    assert found["studies"] == 4.0
    assert found["batch_accuracy"] == batch_accuracy(retrieval_ranks(*map(np.asarray, swapped), groups), batch_size=2)
    assert len(found) == 11
