"""The calibration error of a model's zero-shot probabilities on a test set, in points (0 to 100).

A test with classes has one error, that of the most likely class. Another test has the mean error of the findings of the
evaluation's prompt set, each against its absence, for which it has enough studies.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from admin.study.compare.class_scores import text_embeddings
from fedaid.data.dataset import StudyDataset
from fedaid.evaluation.classification import calibration_error
from fedaid.evaluation.findings.prompt_set import read_prompt_set
from fedaid.evaluation.findings.zero_shot import PromptEmbeddings, prompt_margin, zero_shot_probability
from fedaid.models.dual_encoder import DualEncoder

Floats = NDArray[np.floating]
PROMPTS = read_prompt_set("chexpert-v1")
LEAST = 5  # studies with a finding, studies without it, and studies of a bin
BINS = 10  # at most


def finding_prompts(model: DualEncoder) -> dict[str, PromptEmbeddings]:
    """Return finding → embeddings of its prompts under the model."""
    sides = [side for said in PROMPTS.findings.values() for side in (said.positive, said.negative)]
    together = text_embeddings(model, [text for side in sides for text in side])
    parts = iter(np.split(together, np.cumsum([len(side) for side in sides])[:-1]))
    return {finding: PromptEmbeddings(next(parts), next(parts)) for finding in PROMPTS.findings}


def findings_error(
    images: Floats, dataset: StudyDataset, prompts: Mapping[str, PromptEmbeddings], *, logit_scale: float
) -> float | None:
    """Return the mean calibration error of the findings with enough studies, in points; None without one.

    Which findings these are depends on the labels alone, so all methods are measured on the same.

    Args:
        images: (N, D) unit-norm embeddings.
        dataset: the N studies.
        prompts: see :func:`finding_prompts`.
        logit_scale: of the model.
    """
    targets = PROMPTS.targets(dataset.cohort.labels, dataset.cohort.uncertain)
    errors = []
    for finding, target in targets.items():
        known, positive = ~np.isnan(target), target == 1
        if min(positive.sum(), (known & ~positive).sum()) >= LEAST:
            probability = zero_shot_probability(prompt_margin(images, prompts[finding]), logit_scale=logit_scale)
            errors.append(error_in_points(probability[known], positive[known]))
    return float(np.mean(errors)) if errors else None


def classes_error(scores: Floats, target: NDArray[np.int64], *, logit_scale: float) -> float:
    """Return the calibration error of the most likely class, in points.

    Args:
        scores: (N, C) similarities to the classes.
        target: (N,) number of the right class.
        logit_scale: of the model.

    Source: the confidence calibration of Guo et al., ICML 2017, arXiv:1706.04599, in bins of equal mass.
    """
    probability = softmax(logit_scale * scores.astype(np.float64), axis=1)
    return error_in_points(probability.max(axis=1), probability.argmax(axis=1) == target)


def error_in_points(probability: Floats, right: NDArray[np.bool_]) -> float:
    """Return the calibration error of N studies in points, in at most :data:`BINS` bins of enough studies."""
    bins = max(1, min(BINS, len(right) // LEAST))
    return 100 * calibration_error(probability, right, bins=bins)
