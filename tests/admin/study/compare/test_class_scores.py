from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from admin.study.compare import class_scores as module
from admin.study.compare.class_scores import (
    STEP,
    ClassScores,
    class_scores,
    joined,
    pair_targets,
    probe_points,
    targets_of,
)
from admin.study.compare.judge import hits_from
from admin.study.compare.sites import EvaluationSet, read_sites
from fedaid.errors import InputError
from fedaid.evaluation.linear_probe import ProbeData
from fedaid.models.dual_encoder import DualEncoder


def of(scores: list[list[int]], target: list[int]) -> ClassScores:
    return ClassScores(np.arange(len(target)), np.array(target), np.array(scores))


def random_scores(seed: int = 0, count: int = 60) -> ClassScores:
    rng = np.random.default_rng(seed)
    target = rng.integers(0, 3, count)
    scores = rng.normal(size=(count, 3)) + 0.7 * np.eye(3)[target]
    return ClassScores(np.arange(count), target, np.rint((scores - scores[:, :1]) / STEP).astype(np.int64))


def test_the_points_worked_by_hand() -> None:
    # normal before bacterial in 1 of 2 cases, normal before viral in 2 of 2, bacterial before viral in 1 of 1
    found = of([[0, -5, -9], [0, 2, -1], [0, 1, -3], [0, 4, 9]], [0, 0, 1, 2])
    assert found.pairs(np.ones((1, 4)))[0, 1][0] == pytest.approx(0.5)
    assert float(found.points()) == pytest.approx(100 * (0.5 + 1 + 1) / 3)
    assert found.accuracy() == 75.0


def test_the_points_are_the_mean_of_the_areas_of_all_pairs() -> None:
    found = random_scores()
    areas = []
    for one, other in ((0, 1), (0, 2), (1, 2)):
        rows = np.isin(found.target, (one, other))
        height = found.scores[rows, one] - found.scores[rows, other]
        areas.append(roc_auc_score(found.target[rows] == one, height))
    assert float(found.points()) == pytest.approx(100 * np.mean(areas))


def test_the_frequency_of_a_class_changes_nothing_and_weights_count_as_copies() -> None:
    found = random_scores()
    times = np.where(found.target == 1, 3.0, 1.0)
    copies = np.repeat(np.arange(60), times.astype(int))
    many = ClassScores(np.arange(len(copies)), found.target[copies], found.scores[copies])
    assert float(found.points(times)) == pytest.approx(float(found.points())) == pytest.approx(float(many.points()))
    assert np.allclose(found.points(np.stack([np.ones(60), times])), float(found.points()))


def test_a_class_that_is_absent_leaves_its_pairs_out() -> None:
    assert float(of([[0, 5, 0], [0, -5, 0]], [1, 0]).points()) == 100.0


def test_scores_come_back_from_plain_json() -> None:
    found = hits_from(random_scores().as_json())
    assert isinstance(found, ClassScores)
    assert float(found.points()) == float(random_scores().points())


def dataset(labels: list[str]) -> Any:
    cohort = SimpleNamespace(labels=tuple((one,) if one else () for one in labels), patients=np.arange(len(labels)))
    return SimpleNamespace(cohort=cohort)


def test_an_image_beside_its_prompt_has_the_highest_score() -> None:
    test = EvaluationSet(dataset(["a", "c", "b"]), np.arange(3))
    found = class_scores(np.eye(3)[[0, 2, 1]], test, ["a", "b", "c"])
    assert (float(found.points()), found.accuracy()) == (100.0, 100.0)
    assert found.scores[1].tolist() == [0, 0, round(1 / STEP)]


def test_prompts_are_embedded_as_the_reports_are(
    consortium: dict[str, Path], model_options: dict[str, Any], image_cache: Path
) -> None:
    model = DualEncoder(**model_options)
    sites = read_sites(consortium, model.configuration, cache=image_cache)
    data = sites.data(next(iter(consortium))).test
    text = next(iter(sites.images[next(iter(consortium))].studies.values())).text
    assert data is not None
    found = module.prompt_embeddings(model, {"one": [text], "both": [text, text]})
    assert np.allclose(found[0], found[1])
    assert np.allclose(np.linalg.norm(found, axis=1), 1)
    studies = sites.images[next(iter(consortium))].studies.values()
    same = next(split for split in ("train", "valid", "test") if next(iter(studies)).split == split)
    split = getattr(sites.data(next(iter(consortium))), same)
    row = [study.text for study in studies if study.split == same].index(text)
    assert np.allclose(found[0], module.embed(model, split, batch_size=8).text[row].numpy(), atol=1e-5)


def test_a_study_without_one_of_the_classes_is_an_error_without_its_label() -> None:
    with pytest.raises(InputError, match=r"first label must be one of a, b, got 2 other ones: test split") as error:
        targets_of(dataset(["a", "secret", ""]), ["a", "b"])
    assert "secret" not in str(error.value)


def probe_data(count: int, *, apart: float) -> tuple[ProbeData, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(count)
    target = np.arange(count) % 3
    features = rng.normal(size=(count, 6)) + apart * np.eye(3, 6)[target]
    return ProbeData(features, pair_targets(target, 3), np.arange(count)), target


def test_a_probe_finds_what_the_features_hold_and_more_labels_help() -> None:
    train, _ = probe_data(300, apart=1.5)
    test, target = probe_data(150, apart=1.5)
    found = [probe_points(train, np.asarray(test.features), target, share=share) for share in (0.01, 0.1, 1.0)]
    assert found[0] < found[2]
    assert found[2] > 85
    (none, _), (noise, target) = probe_data(300, apart=0.0), probe_data(150, apart=0.0)
    assert abs(probe_points(none, np.asarray(noise.features), target, share=1.0) - 50) < 20


def test_patients_of_two_sites_stay_different_people() -> None:
    parts = [probe_data(6, apart=1.0)[0], probe_data(9, apart=1.0)[0]]
    found = joined(parts)
    assert len(np.unique(found.patients)) == 15
    assert found.features.shape == (15, 6)
    assert all(len(values) == 15 for values in found.targets.values())
