from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from admin.study.compare.judge import CALIBRATION, Hits, calibration_after, hits, hits_after, hits_from, judge, loaded
from admin.study.compare.sites import EvaluationSet, read_sites
from fedaid.evaluation.retrieval import retrieval
from fedaid.models.dual_encoder import DualEncoder, Embeddings


def unit(rng: np.random.Generator, count: int) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.from_numpy(rng.normal(size=(count, 4)).astype(np.float32)), dim=1)


@pytest.mark.parametrize("seed", range(5))
def test_counted_once_the_hits_give_the_recall_of_the_evaluation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    image, text, groups = unit(rng, 30), unit(rng, 30), rng.integers(0, 12, 30)
    text = text[[int(np.flatnonzero(groups == group)[0]) for group in groups]]
    dataset: Any = SimpleNamespace(text_groups=groups)
    found = hits(Embeddings(image, text), EvaluationSet(dataset, np.arange(30)))
    expected = 100 * retrieval(image.numpy(), text.numpy(), groups)["recall_at_5"]
    assert float(found.points()) == pytest.approx(expected)


def test_what_a_guess_reaches_worked_by_hand() -> None:
    found = Hits(np.arange(20), np.zeros(20, int), np.zeros(20, int), np.repeat([0.5, 1.0], [10, 10]))
    one_of_pair = 1 - (15 * 14) / (20 * 19)  # both images of a text are among the last 15 of 20
    assert found.chance == pytest.approx(50 * (5 / 15 + (5 * one_of_pair + 10 * 5 / 20) / 15))
    assert Hits(np.arange(3), np.zeros(3, int), np.zeros(3, int), np.ones(3)).chance == 100


def test_a_guess_is_what_embeddings_that_know_nothing_reach() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat([0, 1, 2, 3, 4, 5, 6, 7, 8], [9, 4, 2, 1, 1, 1, 1, 1, 1])
    dataset: Any = SimpleNamespace(text_groups=groups)
    reached = []
    for _ in range(400):
        blind = Embeddings(unit(rng, len(groups)), unit(rng, 9)[groups])
        found = hits(blind, EvaluationSet(dataset, np.arange(len(groups))))
        reached.append(float(found.points()))
    assert np.mean(reached) == pytest.approx(found.chance, abs=3 * np.std(reached) / 20)


def test_a_study_counted_twice_weighs_as_two() -> None:
    found = Hits(np.arange(3), np.array([1, 0, 0]), np.array([1, 1, 0]), np.ones(3))
    assert float(found.points(np.array([2.0, 1.0, 0.0]))) == pytest.approx(50 * (2 / 3 + 3 / 3))


def test_hits_survive_json() -> None:
    found = Hits(np.array([0, 0, 1]), np.array([1, 0, 1]), np.array([0, 0, 1]), np.array([0.5, 0.5, 1.0]))
    again = hits_from(json.loads(json.dumps(found.as_json())))
    assert float(again.points()) == float(found.points())
    np.testing.assert_array_equal(again.patients, found.patients)


def stored(found: int) -> dict[str, Any]:
    return Hits(np.arange(1), np.array([found]), np.array([found]), np.ones(1)).as_json()


def test_hits_are_those_of_the_last_model_chosen_by_a_round_and_in_the_order_of_numbers() -> None:
    result = {"models": {"global": {str(n): {"a": stored(found)} for n, found in ((0, 0), (9, 1), (10, 0))}}}
    recalls = [hits_after(result, rounds)["a"][0].points() for rounds in (None, 10, 9, 8, 1, 0)]
    assert recalls == [0, 0, 100, 0, 0, 0]


def test_hits_of_several_models_on_one_test_set_are_all_told() -> None:
    result = {"models": {site: {"0": {site: stored(1), "others": stored(0)}} for site in ("a", "b")}}
    assert {test: len(models) for test, models in hits_after(result).items()} == {"a": 1, "b": 1, "others": 2}


def test_the_calibration_error_is_that_of_the_selected_model_and_only_where_it_is_known() -> None:
    tests = [{"a": stored(1) | {CALIBRATION: error}, "b": stored(1)} for error in (9.0, 4.0)]
    result = {"models": {"global": dict(zip(("0", "2"), tests, strict=True))}}
    assert [calibration_after(result, rounds) for rounds in (1, None)] == [{"a": [9.0]}, {"a": [4.0]}]
    assert hits_after(result)["a"][0].points() == 100


def test_a_model_with_other_weights_is_judged_by_those(
    consortium: dict[str, Path], model_options: dict[str, Any], tmp_path: Path
) -> None:
    model, other = (DualEncoder(**model_options | {"seed": seed}) for seed in (0, 1))
    tests = read_sites(consortium, model.configuration, cache=tmp_path).test_sets()
    site = next(iter(consortium))
    expected = judge(other, tests, {})[site]
    tensors = {name: tensor.numpy() for name, tensor in other.state_dict().items()}
    assert judge(loaded(model, tensors), tests, {})[site] == expected
