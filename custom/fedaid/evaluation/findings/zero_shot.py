"""Zero-shot classification: whether an image is closer to prompts that assert a finding than to those that deny it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from fedaid.evaluation.bootstrap import Interval, Weights, expanded_level, interval
from fedaid.evaluation.classification import auroc, average_precision, best_threshold, f1_score
from fedaid.evaluation.count_band import count_band

Floats = NDArray[np.floating]


class PromptEmbeddings(NamedTuple):
    """Unit-norm embeddings of the prompts of one finding: those that assert it (P, D), those that deny it (Q, D)."""

    positive: Floats
    negative: Floats


class PromptSpread(NamedTuple):
    """How much the AUROC of a finding depends on its prompts, over each pair of one that asserts and one that denies.

    Attributes:
        pairs: their number.
        lowest, highest: AUROC of the worst and of the best pair.
    """

    pairs: int
    lowest: float
    highest: float


class Labelled(NamedTuple):
    """Studies with the scores of one finding.

    Attributes:
        scores: (N,), higher for more likely.
        target: (N,), 1, 0, or NaN if the finding is unknown.
        patients: (N,), equal for studies of one patient.
    """

    scores: Floats
    target: Floats
    patients: NDArray[np.int64]

    @property
    def known(self) -> NDArray[np.bool_]:
        """(N,), whether the finding is known."""
        return ~np.isnan(self.target)

    @property
    def counts(self) -> tuple[int, int]:
        """Number of patients with a positive study, and with a negative one."""
        positive, negative = (len(np.unique(self.patients[self.target == value])) for value in (1, 0))
        return positive, negative

    def part(self, rows: NDArray[np.bool_]) -> Labelled:
        """Some of the studies."""
        return Labelled(self.scores[rows], self.target[rows], self.patients[rows])

    def enough(self, least: int) -> bool:
        """Whether at least ``least`` patients are positive, and at least as many negative."""
        return min(self.counts) >= least


@dataclass(frozen=True)
class FindingResult:
    """The metrics of one finding on one split; ``auroc`` and the fields after it are None for too few patients.

    Attributes:
        positives: band of the number of patients with a positive study.
        negatives: band of the number of patients with a negative study.
        auroc: area under the ROC curve.
        average_precision: random scores give the share of positives.
        f1: at the best threshold of the validation split; None also if that split has too few patients.
        resampled_auroc: (R,), for means over findings.
        resampled_precision: (R,) of the average precision, likewise.
        share: of positives among the studies with a label.
        spread: over its prompts; None for too few patients.
    """

    positives: str
    negatives: str
    auroc: Interval | None = None
    average_precision: Interval | None = None
    f1: Interval | None = None
    resampled_auroc: Weights | None = None
    resampled_precision: Weights | None = None
    share: float = np.nan
    spread: PromptSpread | None = None

    @property
    def inverted(self) -> bool:
        """Whether the whole interval is below 0.5: then the prompt, the label or the image is inverted."""
        return self.auroc is not None and self.auroc.high < 0.5


def prompt_margin(image_embeddings: Floats, prompts: PromptEmbeddings) -> NDArray[np.float64]:
    """How much closer each image is to the positive prompts than to the negative ones, in [-2, 2].

    Args:
        image_embeddings: unit-norm (N, D).
        prompts: of one finding; each side is averaged and normalised.

    Source: prompt ensembles of CLIP, arXiv:2103.00020, section 3.1.4; positive against negative of CheXzero,
        https://doi.org/10.1038/s41551-022-00936-9.
    """
    margin: NDArray[np.float64] = image_embeddings.astype(np.float64) @ (centre(prompts[0]) - centre(prompts[1]))
    return margin


def prompt_spread(image_embeddings: Floats, prompts: PromptEmbeddings, target: Floats) -> PromptSpread:
    """The AUROC of single pairs of prompts, in place of the averages of both sides.

    Args:
        image_embeddings: unit-norm (N, D).
        prompts: of one finding.
        target: (N,), 1, 0, or NaN for studies to leave out; with at least one 1 and one 0.
    """
    known = ~np.isnan(target)
    sides = [image_embeddings[known].astype(np.float64) @ side.T for side in prompts]  # (N, P) and (N, Q)
    margins = (sides[0][:, :, None] - sides[1][:, None, :]).reshape(known.sum(), -1).T
    areas = [float(auroc(margin, target[known] == 1, np.ones((1, known.sum())))[0]) for margin in margins]
    return PromptSpread(len(areas), min(areas), max(areas))


def zero_shot_probability(margin: Floats, *, logit_scale: float) -> NDArray[np.float64]:
    """The share of the positive side in the softmax of both similarities at the model's logit scale, (N,) in [0, 1]."""
    probability: NDArray[np.float64] = expit(logit_scale * margin)
    return probability


def score_finding(
    test: Labelled, valid: Labelled, weights: Weights, *, least: int = 5, level: float = 0.95
) -> FindingResult:
    """Metrics of one finding with intervals over patients; studies without a label are left out.

    Args:
        test: N studies to measure on.
        valid: other studies, for the threshold of F1.
        weights: (R, N), see :mod:`fedaid.evaluation.bootstrap`.
        least: least number of patients with the finding, and of patients without it, in each split.
        level: of the intervals, corrected for the number of patients of the smaller class.
    """
    positives, negatives = (count_band(count, least=least) for count in test.counts)
    if not test.enough(least):
        return FindingResult(positives, negatives)
    known, level = test.known, expanded_level(level, count=min(test.counts))
    scores, positive, weight = test.scores[known], test.target[known] == 1, weights[:, known]
    area = auroc(scores, positive, weight)
    f1 = None
    if valid.enough(least):
        threshold = best_threshold(valid.scores[valid.known], valid.target[valid.known] == 1)
        f1 = interval(f1_score(scores >= threshold, positive, weight), level=level)
    precision = average_precision(scores, positive, weight)
    found, recalled = (interval(metric, level=level) for metric in (area, precision))
    return FindingResult(positives, negatives, found, recalled, f1, area, precision, float(positive.mean()))


def macro_auroc(results: Mapping[str, FindingResult], *, level: float = 0.95) -> Interval | None:
    """The mean AUROC of the reported findings with its interval; None if there are none."""
    areas = [result.resampled_auroc for result in results.values() if result.resampled_auroc is not None]
    return interval(np.mean(areas, axis=0), level=level) if areas else None


def centre(embeddings: Floats) -> NDArray[np.float64]:
    """The mean of embeddings (P, D) put back on the sphere, (D,)."""
    mean: NDArray[np.float64] = embeddings.astype(np.float64).mean(axis=0)
    return mean / max(float(np.linalg.norm(mean)), 1e-12)
