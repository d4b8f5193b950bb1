from __future__ import annotations

import numpy as np
import pytest

from fedaid.evaluation.bootstrap import patient_weights
from fedaid.evaluation.linear_probe import ProbeData, Subsets, fit_probe, patient_subset, probe_share


def site(studies: int, seed: int) -> ProbeData:
    """Features of which the first tells "easy", none "chance"; "rare" is in one study."""
    rng = np.random.default_rng(seed)
    easy = (rng.random(studies) < 0.4).astype(float)
    features = rng.normal(size=(studies, 6))
    features[:, 0] += 3 * easy
    targets = {"easy": easy, "chance": (rng.random(studies) < 0.5).astype(float), "rare": np.eye(1, studies)[0]}
    return ProbeData(features.astype(np.float32), targets, rng.integers(0, studies // 2, studies))


TRAIN, TEST = site(200, 0), site(150, 1)
WEIGHTS = patient_weights(TEST.patients, draws=100)
ALL = np.arange(200)


def test_what_the_features_hold_is_learnt_and_what_they_do_not_is_not() -> None:
    easy = probe_share(TRAIN, TEST, WEIGHTS, findings=["easy"], subsets=Subsets(share=1.0, draws=5)).macro_auroc
    chance = probe_share(TRAIN, TEST, WEIGHTS, findings=["chance"], subsets=Subsets(share=1.0, draws=5)).macro_auroc
    assert easy is not None
    assert chance is not None
    assert easy.low > 0.9
    assert chance.low < 0.5 < chance.high


def test_all_labels_are_one_subset_without_a_spread() -> None:
    result = probe_share(TRAIN, TEST, WEIGHTS, findings=["easy"], subsets=Subsets(share=1.0, draws=5))
    assert (result.draws, result.spread, result.left_out) == (1, None, 0)


def test_the_value_of_a_small_share_is_the_mean_over_its_subsets() -> None:
    whole = probe_share(TRAIN, TEST, WEIGHTS, findings=["easy"], subsets=Subsets(share=0.2, draws=3, seed=4))
    single = [
        probe_share(TRAIN, TEST, WEIGHTS, findings=["easy"], subsets=Subsets(share=0.2, draws=1, seed=4 + n))
        for n in range(3)
    ]
    values = [one.macro_auroc.mid for one in single if one.macro_auroc]
    assert whole.macro_auroc is not None
    assert whole.macro_auroc.mid == pytest.approx(np.mean(values))
    assert whole.spread == pytest.approx(np.std(values, ddof=1))


def test_a_finding_that_a_subset_does_not_have_is_left_out_and_counted() -> None:
    result = probe_share(TRAIN, TEST, WEIGHTS, findings=["easy", "rare"], subsets=Subsets(share=0.1, draws=4, seed=1))
    assert 0 < result.left_out <= 1
    nothing = probe_share(TRAIN, TEST, WEIGHTS, findings=["rare"], subsets=Subsets(share=0.01, draws=2, seed=1))
    assert (nothing.macro_auroc, nothing.left_out) == (None, 1)


def test_a_study_without_a_label_is_not_learnt_from() -> None:
    known = TRAIN.targets["easy"].copy()
    known[50:] = np.nan
    unlabelled = ProbeData(TRAIN.features, {"easy": known}, TRAIN.patients)
    part = fit_probe(TRAIN, "easy", ALL[:50], TEST.features)
    assert part is not None
    assert fit_probe(unlabelled, "easy", ALL, TEST.features) == pytest.approx(part)


def test_one_class_cannot_be_learnt() -> None:
    assert fit_probe(TRAIN, "rare", ALL[1:], TEST.features) is None


@pytest.mark.parametrize(("share", "expected"), [(0.001, 2), (0.1, 3), (0.5, 15), (1.0, 30)])
def test_a_share_is_of_patients_and_at_least_the_least_number(share: float, expected: int) -> None:
    patients = np.arange(90) % 30
    rows = patient_subset(patients, share=share, seed=0, least=2)
    assert len(np.unique(patients[rows])) == expected
    assert len(rows) == 3 * expected


def test_of_too_few_patients_nothing_is_learnt() -> None:
    assert len(patient_subset(np.arange(40) % 4, share=1.0, seed=0, least=5)) == 0
    few = ProbeData(TRAIN.features, TRAIN.targets, TRAIN.patients % 4)
    result = probe_share(few, TEST, WEIGHTS, findings=["easy"], subsets=Subsets(share=1.0, draws=5))
    assert (result.macro_auroc, result.left_out) == (None, 1)


def test_subsets_of_one_seed_are_nested_and_another_seed_draws_others() -> None:
    patients = np.arange(100)
    small, large = (set(patient_subset(patients, share=share, seed=0, least=2)) for share in (0.1, 0.3))
    assert small < large
    assert small != set(patient_subset(patients, share=0.1, seed=1, least=2))
