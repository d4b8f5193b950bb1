"""The tasks of the server, and what a site answers, as plain data; :mod:`messages` packs them for FLARE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

ALIGN, PRETRAIN, VALIDATE = "align", "pretrain", "validate"
TRAIN = "train"  # replaces the first two in a run without an alignment phase
TRAIN_ALONE, KEEP_ALONE = "train_alone", "keep_alone"  # of jobs/local_pretrain
EVALUATE, LOCAL_MODEL = "evaluate", "local_model"  # of jobs/evaluate_global
GIVEN_MODEL = 0  # number of the task that evaluates the given model; later tasks evaluate the local models
STATE_LOST = "state_lost"  # metric of 1: the site has lost what it keeps from round to round
WITHHELD = "withheld_tensors"  # metric: tensors that a filter of the site has removed; the site does not move them
MOST_FIELDS = 100  # largest number of metrics, counts or meta fields; our messages hold far fewer

Arrays = Mapping[str, NDArray[Any]]


class MalformedMessage(ValueError):
    """A message that does not have the layout of its kind; the text names the part at fault, never its content."""


@dataclass(frozen=True)
class RunStamp:
    """Which run a message belongs to, and which of its jobs.

    Attributes:
        name: of the run; it stays when a new job continues the run.
        attempt: number of the job, from 1.
        began: drawn when the run began, so that another run of the same name has another one; a site does not send it.
    """

    name: str
    attempt: int
    began: str = field(default="", compare=False)


@dataclass(frozen=True)
class ModelMessage:
    """Server → site: tensors to work on.

    Attributes:
        round_number: counted from 0.
        tensors: the alignment modules for ``pretrain``, the whole model for the other tasks.
        configuration: constructor arguments of the model, plain JSON.
        vocabulary_hash: sha256 of the vocabulary file that both sides must use.
        run: of this message; None if the run cannot be continued by another job.
        trained: site → the last round whose model has this site's training; without sites that have not trained.
    """

    round_number: int
    tensors: Arrays
    configuration: Mapping[str, Any]
    vocabulary_hash: str
    run: RunStamp | None = None
    trained: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class UpdateMessage:
    """Site → server: how far a phase moved the model, and what the site measured.

    Attributes:
        round_number: the round that it answers.
        delta: name → end − start.
        metrics: of the round's model on the validation split (``align``), of training (``pretrain``), or of both.
        pairs: training pairs of the site.
        skipped: reason → studies that could not be used.
        run: of the task that it answers.
    """

    round_number: int
    delta: Arrays
    metrics: Mapping[str, float]
    pairs: int
    skipped: Mapping[str, int]
    run: RunStamp | None = None


@dataclass(frozen=True)
class MetricsMessage:
    """Site → server: metrics of a model by split, for ``validate``."""

    round_number: int
    splits: Mapping[str, Mapping[str, float]]
