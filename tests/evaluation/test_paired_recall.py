from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fedaid.evaluation.bootstrap import Interval, interval, patient_weights
from fedaid.evaluation.embedded_split import EmbeddedSplit
from fedaid.evaluation.retrieval import Ranks, recall_difference, resampled_retrieval, retrieval, retrieval_ranks
from fedaid.evaluation.settings import EvaluationSettings

SETTINGS = EvaluationSettings(draws=300)


def ranks_of(split: EmbeddedSplit) -> Ranks:
    return retrieval_ranks(split.image, split.text, split.text_groups)


@pytest.fixture
def better(site: dict[str, EmbeddedSplit]) -> EmbeddedSplit:
    """A test split of which some texts occur several times."""
    groups = np.arange(len(site["test"])) // 3 * 3
    return replace(site["test"], text=site["test"].text[groups], text_groups=groups)


@pytest.fixture
def worse(better: EmbeddedSplit) -> EmbeddedSplit:
    """The same studies under a model that has every fifth image in a wrong place."""
    image = better.image.copy()
    image[::5] = -image[::5]
    return replace(better, image=image)


def test_a_case_worked_by_hand() -> None:
    # Three studies of three patients, two of them with one text. The other model loses study 0 and its text.
    texts = np.array([0, 0, 1])
    one = Ranks(np.array([0, 0, 0]), np.array([0, 0]), texts)
    other = Ranks(np.array([9, 0, 0]), np.array([9, 0]), texts)
    found = recall_difference(one, other, np.arange(3), SETTINGS)
    assert found.mid == pytest.approx((1 / 3 + 1 / 2) / 2)


def test_the_value_is_the_difference_of_the_recalls_that_are_told(better: EmbeddedSplit, worse: EmbeddedSplit) -> None:
    recalls = [retrieval(one.image, one.text, one.text_groups)["recall_at_5"] for one in (better, worse)]
    found = recall_difference(ranks_of(better), ranks_of(worse), better.patients, SETTINGS)
    assert found.mid == pytest.approx(recalls[0] - recalls[1])
    assert found.mid > 0.05


def test_a_model_does_not_differ_from_itself(better: EmbeddedSplit) -> None:
    assert recall_difference(ranks_of(better), ranks_of(better), better.patients, SETTINGS) == (0, 0, 0)


def test_it_is_narrower_than_the_two_apart(better: EmbeddedSplit, worse: EmbeddedSplit) -> None:
    weights = patient_weights(better.patients, draws=SETTINGS.draws)
    apart = [interval(resampled_retrieval(ranks_of(one), weights)["recall_at_5"]) for one in (better, worse)]
    found = recall_difference(ranks_of(better), ranks_of(worse), better.patients, SETTINGS)
    assert found.high - found.low < 0.9 * np.hypot(*(one.high - one.low for one in apart))


def some_found(rng: np.random.Generator, patients: np.ndarray) -> Ranks:
    """A model that finds half of the studies, of some patients more and of some fewer."""
    chance = np.clip(0.5 + 0.3 * rng.normal(size=len(np.unique(patients))), 0.02, 0.98)[patients]
    ranks = np.where(rng.random(len(patients)) < chance, 0, 9)
    return Ranks(ranks, ranks, np.arange(len(patients)))


def leaves_out_zero(apart: Interval) -> bool:
    return not apart.low <= 0 <= apart.high


def test_of_few_patients_equally_good_models_are_told_apart_as_rarely_as_it_says() -> None:
    rng, patients = np.random.default_rng(0), np.repeat(np.arange(6), 4)
    plain, found = 0, 0
    for seed in range(800):
        one, other = some_found(rng, patients), some_found(rng, patients)
        settings = EvaluationSettings(draws=1000, seed=seed)
        weights = patient_weights(patients, draws=1000, seed=seed)
        recalls = [resampled_retrieval(ranks, weights)["recall_at_5"] for ranks in (one, other)]
        plain += leaves_out_zero(interval(recalls[0] - recalls[1]))
        found += leaves_out_zero(recall_difference(one, other, patients, settings))
    assert plain / 800 > 0.09
    assert 0.03 <= found / 800 <= 0.08
