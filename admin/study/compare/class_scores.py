"""A model's zero-shot scores of test studies that each have one class, and linear probes for the same classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from admin.study.compare.sites import EvaluationSet
from fedaid.data.dataset import StudyDataset
from fedaid.errors import require
from fedaid.evaluation.classification import auroc
from fedaid.evaluation.findings.zero_shot import centre
from fedaid.evaluation.linear_probe import ProbeData, Subsets, fit_probe
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.vocabulary import find_vocabulary, load_tokenizer
from fedaid.training.validation import embed

BATCH = 64
STEP = 2.0**-13  # of a stored score; cosines differ by at most 2
SHARES = (0.01, 0.1, 1.0)  # of the training patients that a probe learns from
DRAWS = 3  # of a share below 1
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ClassScores:
    """The zero-shot scores of a test set of N studies and C classes.

    Attributes:
        patients: (N,) number of the study's patient.
        target: (N,) number of its class.
        scores: (N, C) whole numbers: the similarity to a class minus that to class 0, in units of :data:`STEP`.
    """

    patients: NDArray[np.int64]
    target: NDArray[np.int64]
    scores: NDArray[np.int64]
    metric: ClassVar[str] = "auroc"
    chance: ClassVar[float] = 50.0

    def points(self, times: Floats | None = None) -> Floats:
        """Return the mean AUROC over all pairs of classes, in points (0 to 100).

        A pair that the test set lacks is left out. The measure does not depend on how frequent the classes are.

        Args:
            times: (…, N) how often each study counts; None counts each once.

        Source: the M of Hand and Till, Machine Learning 45, 2001, for scores whose order decides between two classes.
        """
        weights = np.ones((1, len(self.patients))) if times is None else np.atleast_2d(times)
        found = np.nanmean(list(self.pairs(weights).values()), axis=0)
        points: Floats = 100 * (found[0] if times is None or times.ndim == 1 else found)
        return points

    def pairs(self, times: Floats) -> dict[tuple[int, int], Floats]:
        """Return two classes → AUROC between them, (R,), for weights ``times`` (R, N); NaN without one of them."""
        return {pair: self._apart(*pair, times) for pair in combinations(range(self.scores.shape[1]), 2)}

    def accuracy(self) -> float:
        """Return the share of the studies whose class has the highest score, in points."""
        return float(100 * (self.scores.argmax(axis=1) == self.target).mean())

    def as_json(self) -> dict[str, list[Any]]:
        """Return plain JSON; its names are those of the fields."""
        return {name: getattr(self, name).tolist() for name in ("patients", "target", "scores")}

    def _apart(self, one: int, other: int, times: Floats) -> Floats:
        rows = np.isin(self.target, (one, other))
        if not rows.any():
            return np.full(len(times), np.nan)
        height = (self.scores[rows, one] - self.scores[rows, other]).astype(np.float64)
        return auroc(height, self.target[rows] == one, times[:, rows])


def class_scores(scores: Floats, test: EvaluationSet, classes: Sequence[str]) -> ClassScores:
    """Return the class scores of a test set.

    Args:
        scores: (N, C) cosines of the images to the mean prompt of each class.
        test: studies whose first label is one of the classes.
        classes: their names.
    """
    steps = np.rint((scores - scores[:, :1]) / STEP).astype(np.int64)
    return ClassScores(test.patients, targets_of(test.dataset, classes), steps)


def prompt_embeddings(model: DualEncoder, classes: Mapping[str, Sequence[str]]) -> Floats:
    """Return (C, D) unit-norm mean embeddings of the prompts of each class."""
    return np.stack([centre(text_embeddings(model, prompts)) for prompts in classes.values()])


@torch.no_grad()
def text_embeddings(model: DualEncoder, texts: Sequence[str]) -> Floats:
    """Return (M, D) unit-norm embeddings of texts."""
    model.eval()
    longest = model.configuration["max_tokens"]
    tokenizer = load_tokenizer(find_vocabulary(model.configuration["vocabulary"]), max_tokens=longest)
    ids = [torch.tensor(tokenizer.encode(text).ids) for text in texts]
    tokens = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True)
    mask = torch.arange(tokens.shape[1]) < torch.tensor([len(one) for one in ids])[:, None]
    found: Floats = model.text["alignment"](model.text_features(tokens, mask), mask).numpy().astype(np.float64)
    return found


def targets_of(dataset: StudyDataset, classes: Sequence[str]) -> NDArray[np.int64]:
    """Return (N,) the number of each study's class, which is its first label.

    Raises:
        InputError: a study has no label among the classes.
    """
    labels = [next(iter(of), "") for of in dataset.cohort.labels]
    missing = sum(label not in classes for label in labels)
    rule, remedy = f"be one of {', '.join(classes)}", "Correct the labels of the manifest."
    require(missing == 0, "first label", rule, got=f"{missing} other ones", where="test split", remedy=remedy)
    return np.array([classes.index(label) for label in labels], dtype=np.int64)


def probe_classes(
    model: DualEncoder,
    train: Mapping[str, StudyDataset],
    tests: Mapping[str, EvaluationSet],
    *,
    classes: Sequence[str],
) -> dict[str, dict[str, float]]:
    """Return test set → percent of the training labels → AUROC in points of linear probes on image embeddings.

    The mean is over all pairs of classes and over :data:`DRAWS` subsets of the patients. The probe of a site learns
    from its own training split, that of a population without one from those of all sites. A pair that a subset lacks
    counts as a guess, 50.
    """
    features = {name: image_embeddings(model, dataset) for name, dataset in train.items()}
    parts = {name: probe_data(features[name], dataset, classes) for name, dataset in train.items()}
    together = joined(list(parts.values()))
    found = {}
    for name, test in tests.items():
        target = targets_of(test.dataset, classes)
        asked = image_embeddings(model, test.dataset)
        found[name] = {
            f"{100 * share:g}": round(probe_points(parts.get(name, together), asked, target, share=share), 2)
            for share in SHARES
        }
    return found


def probe_points(train: ProbeData, features: Floats, target: NDArray[np.int64], *, share: float) -> float:
    """Return the mean AUROC in points of probes with a share of the training patients."""
    areas = []
    for rows in Subsets(share, DRAWS).rows(train.patients):
        for finding in train.targets:
            one, other = map(int, finding.split("-"))
            asked = np.isin(target, (one, other))
            if len(np.unique(target[asked])) < 2:
                continue
            found = fit_probe(train, finding, rows, features[asked]) if len(rows) else None
            weights = np.ones((1, int(asked.sum())))
            areas.append(0.5 if found is None else float(auroc(found, target[asked] == one, weights)[0]))
    return 100 * float(np.mean(areas))


def image_embeddings(model: DualEncoder, dataset: StudyDataset) -> Floats:
    """Return (N, D) image embeddings."""
    return embed(model, dataset, batch_size=BATCH).image.numpy().astype(np.float64)


def probe_data(features: Floats, dataset: StudyDataset, classes: Sequence[str]) -> ProbeData:
    """Return the training studies of a site, with a target for each pair of classes."""
    return ProbeData(features, pair_targets(targets_of(dataset, classes), len(classes)), dataset.cohort.patients)


def pair_targets(target: NDArray[np.int64], classes: int) -> dict[str, Floats]:
    """Return "i-j" → (N,) 1 for class i, 0 for class j, NaN for the others."""
    return {
        f"{one}-{other}": np.where(target == one, 1.0, np.where(target == other, 0.0, np.nan))
        for one, other in combinations(range(classes), 2)
    }


def joined(parts: Sequence[ProbeData]) -> ProbeData:
    """Return the training studies of several sites as one; patients of two sites are different people."""
    starts = np.cumsum([0, *(int(part.patients.max()) + 1 for part in parts)])
    return ProbeData(
        np.concatenate([part.features for part in parts]),
        {name: np.concatenate([part.targets[name] for part in parts]) for name in parts[0].targets},
        np.concatenate([part.patients + start for part, start in zip(parts, starts, strict=False)]),
    )
