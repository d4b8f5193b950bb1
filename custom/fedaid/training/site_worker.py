"""The work of one site, without the federation: alignment phase, phase two, validation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fedaid.data.dataset import StudyDataset
from fedaid.data.site_data import SiteData
from fedaid.errors import require
from fedaid.models.dual_encoder import DualEncoder, Embeddings
from fedaid.models.tensor_names import is_alignment
from fedaid.training.batches import round_rows, seed_of
from fedaid.training.binding_schedule import binds_to_kept_teacher
from fedaid.training.features import FeatureStore
from fedaid.training.hardware import accelerate
from fedaid.training.model_tensors import (
    Arrays,
    everything,
    frozen_specs,
    moved_since,
    nothing,
    put,
    tensors_of,
    views_of,
)
from fedaid.training.processes.array_file import put_aside
from fedaid.training.processes.process_group import process_number, share_of
from fedaid.training.processes.student import Student
from fedaid.training.settings import WHERE, TrainingSettings
from fedaid.training.site_memory import SiteMemory
from fedaid.training.trainer import Check, PhaseLosses, keep_going, pretrain, train_alignment
from fedaid.training.validation import embed, validation_loss


@dataclass(frozen=True)
class LocalUpdate:
    """The result of a phase.

    Attributes:
        delta: change of the model: name → end − start; of several processes only the first has it.
        losses: of its steps.
    """

    delta: dict[str, NDArray[Any]]
    losses: PhaseLosses

    @property
    def metrics(self) -> dict[str, float]:
        """Name → mean loss."""
        return asdict(self.losses)


@dataclass(frozen=True)
class Validation:
    """A model on one split.

    Attributes:
        loss: in nats; NaN for a split smaller than a batch.
        embeddings: unit-norm, (N, D), that the loss is of.
        text_groups: (N,), equal for studies with the same text.
        batch_size: B of the loss.
    """

    loss: float
    embeddings: Embeddings
    text_groups: NDArray[np.int64]
    batch_size: int


class SiteWorker:
    """Trains and validates on one site's data.

    Args:
        model: built from the run's configuration; the server's tensors replace its weights.
        data: the site's three splits.
        settings: of local training.
        site: this site's name, part of its random seeds.
        folder: for cached features beyond the memory limit; None for the machine's temporary folder.

    Attributes:
        student: the model at the end of the last phase two, if ``report_student_loss`` is set. A worker of the same
            site in another process can take it over once it is measured.

    Raises:
        InputError: if a split has fewer studies than a batch, or the model does not support a setting.
    """

    def __init__(
        self, model: DualEncoder, data: SiteData, settings: TrainingSettings, *, site: str, folder: Path | None = None
    ) -> None:
        check_size(data.train, "train", settings.batch_size, "batch_size", site)
        check_size(data.valid, "valid", settings.valid_batch_size, "valid_batch_size", site)
        self.data, self.site, self._settings = data, site, settings
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._memory = SiteMemory(model, settings)
        self._model = accelerate(model.to(self._device), settings)
        self._folder = folder
        self._features: tuple[int, FeatureStore] | None = None  # of one round, of the present encoders
        self.student: Student | None = None

    @property
    def splits(self) -> dict[str, StudyDataset]:
        """The splits for validation."""
        return {"valid": self.data.valid, "test": self.data.test}

    @property
    def model(self) -> DualEncoder:
        """The present model."""
        return self._model

    def embed(self, dataset: StudyDataset) -> Embeddings:
        """Embeddings (N, D) of all studies of a split under the current model, computed as in :meth:`validate`."""
        return embed(self._model, dataset, batch_size=self._settings.pairs_at_once, precision=self._settings.precision)

    def load(self, tensors: Arrays) -> None:
        """Puts the server's tensors into the model; other tensors do not change, nor does local batch norm."""
        self.measure_student()  # before its weights are replaced
        if not all(is_alignment(name) for name in tensors):
            self._features = None
        put(self._model, self._memory.localised(tensors))

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Copies of the model's tensors as arrays."""
        return tensors_of(self._model)

    @property
    def site_tensors(self) -> Arrays:
        """The tensors that stay at the site for its next round, see :class:`SiteMemory`; often empty."""
        return self._memory.tensors

    @site_tensors.setter
    def site_tensors(self, tensors: Arrays) -> None:
        """Takes over the tensors of a worker of the same site in another process; before :meth:`load`."""
        self._memory.tensors = tensors

    def validate(self, split: str) -> Validation:
        """Validates the current model on ``valid`` or ``test``; the loss of a split smaller than a batch is NaN."""
        at_once, precision = self._settings.pairs_at_once, self._settings.precision
        embeddings = embed(self._model, self.splits[split], batch_size=at_once, precision=precision)
        size = self._settings.valid_batch_size
        enough = len(embeddings.image) >= size
        scale = self._model.logit_scale
        groups = self.splits[split].text_groups
        loss = validation_loss(embeddings, scale, batch_size=size, groups=groups) if enough else float("nan")
        return Validation(loss, embeddings, groups, size)

    def measure_student(self) -> None:
        """Measures the model at the end of phase two, if the settings ask for it and it is not measured yet.

        Only the next round needs the result. So it can wait until the server does not wait for the site, or until
        another model is loaded.
        """
        if self.student is not None and self.student.loss is None:
            self.student = self.student._replace(loss=self.validate("valid").loss)

    def student_loss(self, round_number: int) -> dict[str, float]:
        """``{"student_loss": nats}`` of the model that the site trained in this round; empty if there is none."""
        if self.student is None or self.student.round_number != round_number:
            return {}
        self.measure_student()
        loss = self.student.loss
        return {"student_loss": loss} if loss is not None and math.isfinite(loss) else {}

    def work_ahead(self, *, check: Check = keep_going) -> None:
        """Does work of the next task before it arrives; the bits are the same.

        Between the phases this is the encoder pass over samples that the kept teacher needs and phase one did not use.

        Args:
            check: called regularly; raises to stop.
        """
        self.measure_student()
        if self._features is None:
            return
        round_number, store = self._features
        if binds_to_kept_teacher(self._settings, round_number=round_number):
            self._model.eval()
            store.prepare(np.concatenate(store.step_rows[: self._settings.pretrain_steps]), check=check)

    def align(self, *, round_number: int, check: Check = keep_going) -> LocalUpdate:
        """Phase one from the current model: the change of the alignment modules in T1 steps."""
        return self._train(train_alignment, "align", round_number, check, moves=is_alignment)

    def pretrain(self, *, round_number: int, check: Check = keep_going) -> LocalUpdate:
        """Phase two from the current model: the change of the model in T2 steps; the worker then has the new model."""
        phase = partial(pretrain, round_number=round_number, previous=self._memory.previous)
        try:
            update = self._train(phase, "pretrain", round_number, check, moves=everything)
        finally:
            self._features = None  # the encoders have changed
        self._memory.keep(self._model)
        self.student = Student(round_number) if self._settings.report_student_loss else None
        return replace(update, delta=self._memory.relative(update.delta))

    def _train(
        self, phase: Any, task: str, round_number: int, check: Check, *, moves: Callable[[str], bool]
    ) -> LocalUpdate:
        wanted = moves if process_number() == 0 else nothing  # only the first process's update is needed
        still = frozen_specs(self._model, wanted)
        start = put_aside(views_of(self._model, lambda name: wanted(name) and name not in still), self._folder)
        seed = seed_of(self._settings.seed, self.site, round_number, task)
        losses = phase(self._model, self._features_of(round_number), self._settings, seed=seed, check=check)
        return LocalUpdate(moved_since(self._model, start, still=still), losses)

    def _features_of(self, round_number: int) -> FeatureStore:
        """The features that both phases of a round share; lost ones are computed again, with the same bits."""
        if self._features is None or self._features[0] != round_number:
            seed = seed_of(self._settings.seed, self.site, round_number, "batches")
            shares = [share_of(rows) for rows in round_rows(len(self.data.train), self._settings, seed=seed)]
            store = FeatureStore(self._model, self.data.train, self._settings, step_rows=shares, folder=self._folder)
            self._features = (round_number, store)
        return self._features[1]


def check_size(dataset: StudyDataset, split: str, least: int, setting: str, site: str) -> None:
    """An error for a split smaller than one batch."""
    rule = f"be at most the number of usable {split} studies of every site"
    where = f"site {site} has {len(dataset)} and {WHERE}"
    require(len(dataset) >= least, setting, rule, got=least, where=where, remedy=f"Lower {setting} or add studies.")
