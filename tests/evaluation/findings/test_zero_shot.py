from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from fedaid.evaluation.bootstrap import patient_weights
from fedaid.evaluation.findings.zero_shot import (
    FindingResult,
    Labelled,
    PromptEmbeddings,
    macro_auroc,
    prompt_margin,
    prompt_spread,
    score_finding,
    zero_shot_probability,
)

EYE = np.eye(3)
NONE = Labelled(np.array([]), np.array([]), np.array([], dtype=np.int64))


def labelled(scores: list[float], target: list[float], patients: list[int] | None = None) -> Labelled:
    numbers = np.arange(len(scores)) if patients is None else np.array(patients)
    return Labelled(np.array(scores), np.array(target, dtype=float), numbers)


def some(studies: int, seed: int, *, strength: float) -> Labelled:
    """Studies, three quarters with a label, whose scores tell the positives with a strength."""
    rng = np.random.default_rng(seed)
    target = (rng.random(studies) < 0.3).astype(float)
    scores = rng.normal(size=studies) + strength * target
    target[rng.random(studies) < 0.25] = np.nan
    return Labelled(scores, target, rng.integers(0, studies // 2, studies))


def scored(test: Labelled, valid: Labelled, least: int = 5) -> FindingResult:
    return score_finding(test, valid, patient_weights(test.patients, draws=200), least=least)


def test_an_image_on_the_positive_prompt_has_the_margin_of_the_two_prompts() -> None:
    margin = prompt_margin(EYE, PromptEmbeddings(EYE[:1], EYE[1:2]))
    assert margin.tolist() == [1, -1, 0]


def test_the_prompts_of_a_side_are_averaged_and_put_back_on_the_sphere() -> None:
    margin = prompt_margin(EYE, PromptEmbeddings(EYE[:2], EYE[2:]))
    assert margin == pytest.approx([0.5**0.5, 0.5**0.5, -1])


def test_the_spread_is_over_each_pair_of_a_prompt_that_asserts_and_one_that_denies() -> None:
    """The first positive prompt tells the positives, the second points away from them; one study has no label."""
    target = np.array([1, 1, 0, np.nan])
    image = np.array([[1.0, 0, 0], [0.8, 0.6, 0], [0, 1, 0], [0, 0, 1]])
    prompts = PromptEmbeddings(np.array([[1.0, 0, 0], [-1, 0, 0]]), np.array([[0.0, 0, 1]]))
    assert prompt_spread(image, prompts, target) == (2, 0, 1)
    single = PromptEmbeddings(prompts.positive[:1], prompts.negative)
    area = roc_auc_score(target[:3], prompt_margin(image[:3], single))
    assert prompt_spread(image, single, target) == (1, area, area)


def test_the_probability_is_the_softmax_of_both_similarities() -> None:
    similarities = 14 * np.array([0.3, 0.25])
    expected = np.exp(similarities[0]) / np.exp(similarities).sum()
    assert zero_shot_probability(np.array([0.05]), logit_scale=14) == pytest.approx(expected)


def test_studies_without_a_label_are_left_out() -> None:
    test = some(120, 0, strength=1)
    known = ~np.isnan(test.target)
    result = scored(test, NONE)
    assert result.auroc is not None
    assert result.auroc.mid == pytest.approx(roc_auc_score(test.target[known], test.scores[known]))
    assert result.auroc.low < result.auroc.mid < result.auroc.high


def test_patients_are_counted_and_not_studies() -> None:
    test = labelled([5, 4, 3, 2, 1, 0], [1, 1, 1, 0, 0, 0], [7, 7, 7, 1, 2, 3])
    assert test.counts == (1, 3)
    result = scored(test, NONE, least=2)
    assert (result.positives, result.negatives, result.auroc) == ("<2", "2-4", None)


def test_the_threshold_comes_from_the_validation_split() -> None:
    test = labelled([4, 3, 2, 1], [1, 1, 0, 0])
    valid = labelled([9, 4, 3, 2], [1, 1, 0, 0])  # its best threshold is 4, at which half of the positives is found
    result = scored(test, valid, least=2)
    assert result.f1 is not None
    assert result.f1.mid == pytest.approx(2 / 3)
    assert result.auroc is not None
    assert result.auroc.mid == 1


def test_without_enough_to_choose_a_threshold_there_is_no_f1() -> None:
    result = scored(labelled([4, 3, 2, 1], [1, 1, 0, 0]), labelled([4, 3, 2], [1, 0, 0]), least=2)
    assert result.f1 is None
    assert result.average_precision is not None


def test_turned_scores_are_flagged_and_a_guess_is_not() -> None:
    assert scored(some(300, 1, strength=-1.5), NONE).inverted
    assert not scored(some(300, 1, strength=1.5), NONE).inverted
    assert not scored(some(300, 1, strength=0), NONE).inverted
    assert not FindingResult("<5", "<5").inverted


def test_the_macro_auroc_is_the_mean_of_what_is_reported() -> None:
    weights = patient_weights(np.arange(8), draws=100)
    easy = labelled([8, 7, 6, 5, 4, 3, 2, 1], [1, 1, 1, 1, 0, 0, 0, 0])
    mixed = labelled([1, 8, 2, 7, 3, 6, 4, 5], [1, 0, 1, 0, 1, 0, 1, 0])
    results = {
        name: score_finding(test, NONE, weights, least=2) for name, test in {"easy": easy, "turned": mixed}.items()
    }
    found = macro_auroc(results | {"rare": FindingResult("<2", "5-9")})
    assert found is not None
    assert found.mid == pytest.approx((1 + 0) / 2)


def test_nothing_reported_has_no_macro_auroc() -> None:
    assert macro_auroc({"rare": FindingResult("<5", "5-9")}) is None
