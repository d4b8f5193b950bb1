from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from fedaid.evaluation.bootstrap import patient_weights
from fedaid.evaluation.classification import average_precision
from fedaid.evaluation.findings.long_tail import bin_of, mean_precision, one_digit

NAN = np.nan


def having(positives: int, patients: int) -> np.ndarray:
    """Targets of so many patients with a study each."""
    return (np.arange(patients) < positives).astype(float)


@pytest.mark.parametrize(
    ("positives", "patients", "bin_"),
    [(101, 1000, "head"), (100, 1000, "medium"), (10, 1000, "medium"), (9, 1000, "tail"), (0, 1000, "tail")],
)
def test_the_bins_part_at_ten_and_at_one_percent_of_the_training_patients(
    positives: int, patients: int, bin_: str
) -> None:
    assert bin_of(having(positives, patients), np.arange(patients), least=5) == bin_


def test_a_bin_tells_no_smaller_number_than_least_patients() -> None:
    """Of 400 patients "below 1 %" would say fewer than 4; five of them are the least that may be told."""
    assert {bin_of(having(positives, 400), np.arange(400), least=5) for positives in range(6)} == {"medium"}
    assert bin_of(having(1, 600), np.arange(600), least=5) == "tail"


def test_patients_are_counted_and_studies_without_a_label_are_not() -> None:
    patients = np.array([1] * 50 + list(range(2, 40)))  # one patient with 50 positive studies, 38 without
    assert bin_of(having(50, 88), patients, least=2) == "medium"  # 2 of 39
    target = np.concatenate([having(2, 10), np.full(990, NAN)])
    assert bin_of(target, np.arange(1000), least=2) == "head"
    assert bin_of(np.full(8, NAN), np.arange(8), least=5) is None


def test_the_mean_is_that_of_scikit_learn_with_the_chance_of_random_scores() -> None:
    rng, patients = np.random.default_rng(0), np.arange(90) // 2
    targets = [rng.random(90) < share for share in (0.5, 0.2)]
    scores = [rng.normal(size=90) + target for target in targets]
    weights = patient_weights(patients, draws=100)
    precisions = [average_precision(*pair, weights) for pair in zip(scores, targets, strict=True)]
    found = mean_precision(precisions, [float(target.mean()) for target in targets])
    assert found is not None
    expected = np.mean([average_precision_score(*pair) for pair in zip(targets, scores, strict=True)])
    assert found.value.mid == pytest.approx(expected)
    assert found.value.low < found.value.mid < found.value.high
    assert (found.findings, found.chance) == (2, one_digit(np.mean(targets)))


def test_a_bin_without_findings_is_absent() -> None:
    assert mean_precision([], []) is None


def test_the_chance_has_one_digit_so_that_it_gives_no_count() -> None:
    assert [one_digit(share) for share in (0.234, 0.25, 0.047, 0.0082, 0.96)] == [0.2, 0.2, 0.05, 0.008, 1.0]
