"""What a model reaches on test studies: hits or class scores, study by study, so that patients can be resampled.

Its calibration error is stored beside them, under :data:`CALIBRATION`; it is one number a test set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import hypergeom

from admin.study.compare.calibration import classes_error, finding_prompts, findings_error
from admin.study.compare.class_scores import ClassScores, class_scores, prompt_embeddings
from admin.study.compare.sites import EvaluationSet
from fedaid.evaluation.retrieval import retrieval_ranks
from fedaid.models.dual_encoder import DualEncoder, Embeddings
from fedaid.training.validation import embed

BATCH = 64
K = 5  # of recall at K
CALIBRATION = "calibration"  # name of the error, in points
Stored = dict[str, Any]  # hits or class scores as plain JSON, with the calibration error where it is known


@dataclass(frozen=True)
class Hits:
    """The retrieval hits of a test set.

    Attributes:
        patients: (N,) number of the study's patient.
        to_text: (N,) 1 where the image found its report among the first K different texts.
        to_image: (N,) 1 where the report found an image of its text among the first K images.
        share: (N,) one over the number of studies with the same text, so that each text counts once.
    """

    patients: NDArray[np.int64]
    to_text: NDArray[np.int64]
    to_image: NDArray[np.int64]
    share: NDArray[np.float64]
    metric: ClassVar[str] = "recall_at_5"

    def points(self, times: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Return recall at K, the mean of both directions, in points (0 to 100).

        Args:
            times: (…, N) how often each study counts; None counts each once.
        """
        times = np.ones(len(self.patients)) if times is None else times
        texts = times * self.share
        there = (times * self.to_text).sum(axis=-1) / times.sum(axis=-1)
        back = (texts * self.to_image).sum(axis=-1) / texts.sum(axis=-1)
        recall: NDArray[np.float64] = 50 * (there + back)
        return recall

    @property
    def chance(self) -> float:
        """The recall of a random guess, in points; ``share`` adds up to the number of different texts.

        An image finds its text among the first K with probability K over the number of texts. A text misses its m
        images if all K are among the other N − m; the hypergeometric distribution gives this probability.
        """
        texts, studies = float(self.share.sum()), len(self.share)
        found = hypergeom.sf(0, studies, np.rint(1 / self.share), min(K, studies))
        return 50 * (min(1.0, K / texts) + float((self.share * found).sum()) / texts)

    def as_json(self) -> dict[str, list[float]]:
        """Return plain JSON for :func:`hits_from`."""
        return {name: getattr(self, name).tolist() for name in ("patients", "to_text", "to_image", "share")}


Scored = Hits | ClassScores


def hits_from(stored: Mapping[str, Any]) -> Scored:
    """Return the hits or class scores that their ``as_json`` wrote."""
    kind = Hits if "to_text" in stored else ClassScores
    return kind(**{field.name: np.array(stored[field.name]) for field in fields(kind)})


def judge(
    model: DualEncoder, tests: Mapping[str, EvaluationSet], classes: Mapping[str, Sequence[str]]
) -> dict[str, Stored]:
    """Return test set → what a model reaches on it.

    Args:
        model: to test.
        tests: with a class for each study if there are classes.
        classes: class → prompts, for zero-shot classification in place of retrieval; may be empty.
    """
    scale, found = model.logit_scale.item(), dict[str, Stored]()
    centres = prompt_embeddings(model, classes) if classes else None
    prompts = {} if classes else finding_prompts(model)
    for name, test in tests.items():
        embeddings = embed(model, test.dataset, batch_size=BATCH)
        images = embeddings.image.numpy().astype(np.float64)
        error: float | None
        if centres is not None:
            scores = images @ centres.T
            of_classes = class_scores(scores, test, list(classes))
            one: Scored = of_classes
            error = classes_error(scores, of_classes.target, logit_scale=scale)
        else:
            one = hits(embeddings, test)
            error = findings_error(images, test.dataset, prompts, logit_scale=scale)
        found[name] = one.as_json() | ({} if error is None else {CALIBRATION: round(error, 2)})
    return found


def hits(embeddings: Embeddings, test: EvaluationSet) -> Hits:
    """Return a model's hits on one test set; ``fedaid.evaluation.retrieval`` ranks, equal texts count as one."""
    image, text = (side.numpy() for side in embeddings)
    ranks = retrieval_ranks(image, text, test.dataset.text_groups)
    group, back = ranks.text_of_image, ranks.text < K
    share = 1 / np.bincount(group)[group]
    return Hits(test.patients, (ranks.image < K).astype(np.int64), back[group].astype(np.int64), share)


def hits_after(result: Mapping[str, Any], rounds: int | None = None) -> dict[str, list[Scored]]:
    """Return test set → hits or class scores of the models that a trial selected within its first ``rounds`` rounds.

    None means all rounds.

    Schedules do not depend on the total number of rounds, except in methods that name a round. The first rounds of a
    long run therefore equal a short run.
    """
    return {test: [hits_from(one) for one in found] for test, found in selected(result, rounds).items()}


def calibration_after(result: Mapping[str, Any], rounds: int | None = None) -> dict[str, list[float]]:
    """Return test set → calibration errors of the same models in points; without those that have none."""
    errors = {
        test: [one[CALIBRATION] for one in found if CALIBRATION in one]
        for test, found in selected(result, rounds).items()
    }
    return {test: of for test, of in errors.items() if of}


def selected(result: Mapping[str, Any], rounds: int | None) -> dict[str, list[Stored]]:
    """Return test set → what is stored of the models that were selected within ``rounds`` rounds."""
    found: dict[str, list[Stored]] = {}
    for by_round in result["models"].values():
        last = max(int(number) for number in by_round if rounds is None or int(number) <= rounds)
        for test, stored in by_round[str(last)].items():
            found.setdefault(test, []).append(stored)
    return found


def loaded(model: DualEncoder, tensors: Mapping[str, NDArray[Any]]) -> DualEncoder:
    """Load other weights into the model and return it."""
    model.load_state_dict({name: torch.from_numpy(np.array(tensor)) for name, tensor in tensors.items()})
    return model
