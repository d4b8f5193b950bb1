from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from admin.study.compare.calibration import PROMPTS, classes_error, error_in_points, finding_prompts, findings_error
from admin.study.compare.class_scores import text_embeddings
from admin.study.compare.judge import CALIBRATION, judge
from admin.study.compare.sites import read_sites
from fedaid.evaluation.findings.zero_shot import PromptEmbeddings
from fedaid.models.dual_encoder import DualEncoder

TOWARDS = np.array([[1.0, 0.0]])
ALIKE = {name: PromptEmbeddings(TOWARDS, -TOWARDS) for name in PROMPTS.findings}


def dataset(labels: list[str]) -> Any:
    said = tuple((one,) for one in labels)
    return SimpleNamespace(cohort=SimpleNamespace(labels=said, uncertain=((),) * len(labels)))


def test_the_error_of_two_bins_worked_by_hand() -> None:
    # five studies at 0.2 with one positive, and five at 0.9 with two: |0.2 - 0.2| and |0.9 - 0.4|, each half of all
    probability = np.array([0.2] * 5 + [0.9] * 5)
    right = np.array([1, 0, 0, 0, 0, 1, 1, 0, 0, 0], bool)
    assert error_in_points(probability, right) == pytest.approx(100 * (0 + 0.5) / 2)


def test_only_findings_with_five_studies_on_both_sides_count() -> None:
    labels = ["Edema"] * 5 + ["Fracture"] * 4 + ["Other"] * 3
    images = np.array([[1.0, 0.0]] * 5 + [[-1.0, 0.0]] * 7)  # all sure and right about Edema, all wrong about Fracture
    assert findings_error(images, dataset(labels), ALIKE, logit_scale=100.0) == pytest.approx(0, abs=1e-6)
    assert findings_error(images[:9], dataset(labels[:9]), ALIKE, logit_scale=100.0) is None


def test_the_class_that_is_most_likely_is_right_as_often_as_its_probability_says() -> None:
    # logits 0 and log 3: the second class has 0.75; it is right in 3 of 4 cases
    scores = np.tile([0.0, np.log(3) / 10], (20, 1))
    target = np.array([1, 1, 1, 0] * 5)
    assert classes_error(scores, target, logit_scale=10.0) == pytest.approx(0, abs=1e-9)
    assert classes_error(scores, 1 - target, logit_scale=10.0) == pytest.approx(50)


def test_a_surer_model_with_the_same_order_has_another_error() -> None:
    rng = np.random.default_rng(0)
    scores, target = rng.normal(size=(60, 3)), rng.integers(0, 3, 60)
    calm, sure = (classes_error(scores, target, logit_scale=scale) for scale in (0.1, 100.0))
    assert sure > calm + 20


def test_the_prompts_of_the_findings_are_those_of_the_evaluation_and_a_site_without_labels_has_no_error(
    consortium: dict[str, Path], model_options: dict[str, Any], image_cache: Path
) -> None:
    model = DualEncoder(**model_options)
    prompts = finding_prompts(model)
    assert len(prompts) == 14
    assert all(side.shape == (3, model.configuration["embedding_dim"]) for said in prompts.values() for side in said)
    for finding, said in PROMPTS.findings.items():
        for found, texts in zip(prompts[finding], (said.positive, said.negative), strict=True):
            assert np.allclose(found, text_embeddings(model, texts), atol=1e-5), "padding changes nothing"
    tests = read_sites(consortium, model.configuration, cache=image_cache).test_sets()
    for test in tests.values():
        test.dataset.cohort = SimpleNamespace(  # type: ignore[assignment]
            labels=((),) * len(test.patients), uncertain=((),) * len(test.patients)
        )
    assert [CALIBRATION in found for found in judge(model, tests, {}).values()] == [False] * len(tests)
