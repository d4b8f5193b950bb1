"""Linear probe: a classifier on image embeddings, for several amounts of labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fedaid.evaluation.bootstrap import Interval, Weights, interval
from fedaid.evaluation.classification import auroc

Floats = NDArray[np.floating]
Targets = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class ProbeData:
    """Frozen features with labels.

    Attributes:
        features: (N, F), finite.
        targets: finding → (N,), 1, 0, or NaN if unknown.
        patients: (N,), equal for studies of one patient.
    """

    features: Floats
    targets: Targets
    patients: NDArray[np.int64]


@dataclass(frozen=True)
class Subsets:
    """The training studies that a probe learns from: random shares of the patients.

    Attributes:
        share: of the training patients, in (0, 1]; 1 is one subset with all of them.
        draws: number of subsets of a smaller share.
        seed: of the first subset.
        least: patients that a subset has at least, see :func:`patient_subset`.
    """

    share: float
    draws: int
    seed: int = 0
    least: int = 5

    @property
    def count(self) -> int:
        """How many subsets there are."""
        return 1 if self.share >= 1 else self.draws

    def rows(self, patients: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        """Rows of the studies of each subset; ``patients``, (N,), is equal for studies of one patient."""
        for draw in range(self.count):
            yield patient_subset(patients, share=self.share, seed=self.seed + draw, least=self.least)


@dataclass(frozen=True)
class ProbeResult:
    """The result of probes with a share of the labels, on the test split.

    Attributes:
        draws: number of subsets.
        macro_auroc: mean over the findings of a subset and then over the subsets; the interval is over test patients.
            None if no subset has a finding.
        spread: standard deviation over the subsets; None for a single subset.
        left_out: mean number of findings without a positive or without a negative in a subset.
    """

    draws: int
    macro_auroc: Interval | None
    spread: float | None
    left_out: float


def fit_probe(train: ProbeData, finding: str, rows: NDArray[np.int64], features: Floats) -> Floats | None:
    """Probabilities of a finding for ``features``, by logistic regression on a part of the training studies.

    Args:
        train: with N studies.
        finding: one of ``train.targets``.
        rows: training studies to use; those without a label of the finding are left out.
        features: (M, F).

    Returns:
        (M,) in [0, 1]; None if the part has no positive or no negative.

    Source: the probe of CLIP, arXiv:2103.00020, section 3.2, an L2-regularised logistic regression by L-BFGS; features
        are standardised here, so that one strength of regularisation fits all models, without a search.
    """
    from sklearn.linear_model import LogisticRegression  # slow to import, and a site that only trains does not need it
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    target = train.targets[finding][rows]
    rows, target = rows[~np.isnan(target)], target[~np.isnan(target)]
    if len(np.unique(target)) < 2:
        return None
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    probe.fit(train.features[rows].astype(np.float64), target.astype(np.int64))
    probability: Floats = probe.predict_proba(features.astype(np.float64))[:, 1]
    return probability


def patient_subset(patients: NDArray[np.int64], *, share: float, seed: int, least: int) -> NDArray[np.int64]:
    """Rows of the studies of a random share of the patients; a smaller share is a part of a larger one.

    Args:
        patients: (N,), equal for studies of one patient.
        share: in (0, 1].
        seed: of the draw.
        least: number of patients to draw if the share has fewer. If there are fewer in total, the result is empty,
            because a probe of few patients could reveal data about them.
    """
    names = np.unique(patients)
    count = max(least, round(share * len(names))) if len(names) >= least else 0
    chosen = np.random.default_rng(seed).permutation(names)[:count]
    return np.flatnonzero(np.isin(patients, chosen))


def probe_share(
    train: ProbeData,
    test: ProbeData,
    weights: Weights,
    *,
    findings: Sequence[str],
    subsets: Subsets,
    level: float = 0.95,
) -> ProbeResult:
    """The macro AUROC that a share of the training labels reaches, over several subsets of the patients.

    Args:
        train: to draw subsets of.
        test: N studies to measure on.
        weights: (R, N), see :mod:`fedaid.evaluation.bootstrap`.
        findings: with enough patients in the test split.
        subsets: of the training studies.
        level: of the interval.
    """
    macros: list[Weights] = []
    missing = 0
    for rows in subsets.rows(train.patients):
        areas = [_area(train, test, finding, rows, weights) for finding in findings]
        found = [area for area in areas if area is not None]
        missing += len(areas) - len(found)
        if found:
            macros.append(np.mean(found, axis=0))
    values = [float(macro[0]) for macro in macros]
    mean = interval(np.mean(macros, axis=0), level=level) if macros else None
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return ProbeResult(subsets.count, mean, spread, missing / subsets.count)


def _area(train: ProbeData, test: ProbeData, finding: str, rows: NDArray[np.int64], weights: Weights) -> Weights | None:
    """AUROC of one finding by a probe on some training studies, (R,)."""
    target = test.targets[finding]
    known = ~np.isnan(target)
    probability = fit_probe(train, finding, rows, test.features[known])
    return None if probability is None else auroc(probability, target[known] == 1, weights[:, known])
