"""The work of a site as its executor sees it, in this process or in another one; without torch and without FLARE."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from fedaid.training.processes.student import Student
from fedaid.training.settings import TrainingSettings

Arrays = Mapping[str, NDArray[Any]]
Check = Callable[[], None]
SAME_PROCESS, CHILD = "same", "child"  # values of the setting training_process


@dataclass(frozen=True)
class WorkOrder:
    """What the work needs to begin.

    Attributes:
        site: its name.
        kit: root of its startup kit.
        config_dir: the kit's folder ``local``.
        run: folder of the run at the site.
        settings: of local training.
        configuration: constructor arguments of the model, plain JSON.
        vocabulary_hash: sha256 of the vocabulary that the model was made with.
    """

    site: str
    kit: str
    config_dir: str
    run: str
    settings: TrainingSettings
    configuration: Mapping[str, Any]
    vocabulary_hash: str


class WorkFacts(NamedTuple):
    """What is known once the data are read and the model is built.

    Attributes:
        sizes: split → studies.
        skipped: reason → studies that could not be used.
        specs: name → shape and type of each tensor of the model.
        batch_norm: names of the tensors of its batch norm.
        alone: the loss of the local model, if it is comparable with this run.
        valid: what a validation loss is measured on, the fields of :class:`fedaid.flare.site.local_model.ValidSplit`.
    """

    sizes: Mapping[str, int]
    skipped: Mapping[str, int]
    specs: Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]]
    batch_norm: frozenset[str]
    alone: Mapping[str, float]
    valid: Mapping[str, Any]


class Trained(NamedTuple):
    """The result of a phase: name → end − start, and name → mean loss."""

    delta: dict[str, NDArray[Any]]
    metrics: dict[str, float]


class SiteWork(Protocol):
    """What an executor asks for; each method is that of :class:`fedaid.training.site_worker.SiteWorker`.

    Attributes:
        site: its name.
        facts: of its data and its model.
        student: the model at the end of the last phase two.
        site_tensors: the tensors that stay at the site for its next round.
    """

    site: str
    facts: WorkFacts
    student: Student | None
    site_tensors: Arrays

    @property
    def alive(self) -> bool:
        """Whether the work can go on; otherwise it must begin again."""

    def load(self, tensors: Arrays) -> None:
        """Puts the server's tensors into the model."""

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Copies of the model's tensors."""

    def metrics(self, split: str) -> dict[str, float]:
        """Loss and retrieval of the current model on ``valid`` or ``test``."""

    def align(self, *, round_number: int, check: Check) -> Trained:
        """Phase one from the current model."""

    def pretrain(self, *, round_number: int, check: Check) -> Trained:
        """Phase two from the current model."""

    def student_loss(self, round_number: int) -> dict[str, float]:
        """``{"student_loss": nats}`` of the model that the site trained in this round; empty if there is none."""

    def measure_student(self) -> None:
        """Measures the student, if it is not measured yet."""

    def work_ahead(self, *, check: Check) -> None:
        """Does work of the next task before it arrives."""

    def end(self) -> None:
        """Ends the work; nothing of it is needed any more."""


def splits_of(facts: WorkFacts) -> list[str]:
    """The splits for validation that hold studies."""
    return [name for name in ("valid", "test") if facts.sizes[name]]
