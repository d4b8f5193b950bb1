from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from fedaid.evaluation.bootstrap import patient_weights
from fedaid.evaluation.findings.multiclass import MulticlassResult, at_most, exclusive, multiclass

NAN = np.nan


def sorted_into(
    classes: list[int], given: list[int], *, patients: list[int] | None = None, least: int = 2, of: int = 3
) -> MulticlassResult:
    """Studies that have one class and are closest to the prompts of another."""
    has, said = np.array(classes), np.array(given)
    names = "ABCDE"[:of]
    similarity = {name: (said == n) * 0.8 for n, name in enumerate(names)}
    targets = {name: (has == n) * 1.0 for n, name in enumerate(names)}
    numbers = np.arange(len(has)) if patients is None else np.array(patients)
    return multiclass(similarity, targets, numbers, patient_weights(numbers, draws=200), least=least)


def test_a_study_counts_if_it_has_one_finding_and_surely_none_of_the_others() -> None:
    targets = {"A": np.array([1, 0, 1, 0, 1.0]), "B": np.array([0, 0, 1, 1, NAN])}
    assert exclusive(targets).tolist() == [0, -1, -1, 1, -1]


def test_accuracy_is_the_mean_over_the_classes_however_many_studies_each_has() -> None:
    classes, given = [0] * 6 + [1] * 3 + [2] * 2, [0] * 6 + [1, 0, 0] + [2, 0]
    found = sorted_into(classes, given)
    assert found.accuracy is not None
    assert found.accuracy.mid == pytest.approx((1 + 1 / 3 + 1 / 2) / 3)
    assert found.accuracy.mid == pytest.approx(balanced_accuracy_score(classes, given))
    assert found.chance == 1 / 3
    assert [found.classes[name].accuracy.mid for name in "ABC"] == pytest.approx([1, 1 / 3, 1 / 2])  # type: ignore[union-attr]


def test_with_as_many_studies_of_each_class_it_is_the_plain_accuracy() -> None:
    classes = np.repeat(np.arange(5), 40)
    given = np.where(np.random.default_rng(0).random(200) < 0.6, classes, (classes + 1) % 5)
    found = sorted_into(classes.tolist(), given.tolist(), of=5)
    assert found.accuracy is not None
    assert found.accuracy.mid == pytest.approx(accuracy_score(classes, given))
    assert found.accuracy.low < found.accuracy.mid < found.accuracy.high
    assert found.chance == 0.2


def test_a_class_of_few_patients_is_left_out_with_its_prompts() -> None:
    classes, given = [0] * 6 + [1] * 6 + [2] * 6, [0] * 6 + [1, 1, 1, 2, 2, 2] + [2] * 6
    one = [*range(12), 50, 50, 50, 50, 50, 50]  # six studies of one patient
    found = sorted_into(classes, given, patients=one)
    assert found.classes["C"].patients == "<2"
    assert found.classes["C"].accuracy is None
    assert found.chance == 0.5
    assert found.classes["B"].accuracy is not None
    assert found.classes["B"].accuracy.mid == 0.5  # three are as far from B as from A: the first wins


def test_one_class_is_nothing_to_choose_among() -> None:
    found = sorted_into([0] * 9 + [1], [0] * 10)
    assert (found.accuracy, found.chance, found.classes["A"].accuracy) == (None, None, None)
    assert [one.patients for one in found.classes.values()] == ["5-9", "<2", "<2"]


def test_embeddings_that_are_all_equal_reach_chance() -> None:
    found = sorted_into([0] * 5 + [1] * 20 + [2] * 9, [7] * 34)
    assert found.accuracy is not None
    assert found.accuracy.mid == found.chance == pytest.approx(1 / 3)


def test_at_most_two_hundred_studies_of_a_class_are_drawn() -> None:
    classes = np.array([0] * 500 + [1] * 150 + [-1] * 9)
    kept = at_most(classes, 200, seed=3)
    assert np.bincount(kept + 1).tolist() == [309, 200, 150]
    assert (kept[kept >= 0] == classes[kept >= 0]).all()
    assert kept.tolist() == at_most(classes, 200, seed=3).tolist() != at_most(classes, 200, seed=4).tolist()


def test_the_bands_are_of_the_patients_whose_studies_were_classified() -> None:
    found = sorted_into([0] * 300 + [1] * 12, [0] * 312, of=2)
    assert [found.classes[name].patients for name in "AB"] == ["200-499", "10-19"]
