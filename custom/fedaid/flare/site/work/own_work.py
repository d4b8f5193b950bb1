"""The work of a site in this process; it loads torch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from fedaid.data.site import data_root
from fedaid.evaluation.retrieval import split_metrics
from fedaid.flare.site.local_model import local_model_of, valid_split
from fedaid.flare.site.work.abort import Abort
from fedaid.flare.site.work.site_work import Arrays, Check, Trained, WorkFacts, WorkOrder
from fedaid.models.saved_model import new_model
from fedaid.models.tensor_names import batch_norm_names
from fedaid.training.model_tensors import specs
from fedaid.training.processes.data_folders import DataFolders
from fedaid.training.processes.spread_worker import at_site, worker_for
from fedaid.training.processes.student import Student
from fedaid.training.site_worker import LocalUpdate, SiteWorker

IMAGE_CACHE = "fedaid_image_cache"  # folder in the site's startup kit, for all jobs


class OwnWork:
    """Has a :class:`SiteWorker` do the work.

    Args:
        worker: of the site.
        alone: the loss of the local model, if it is comparable with this run.
        valid: what a validation loss is measured on.

    Attributes:
        worker: does the work.
    """

    def __init__(self, worker: SiteWorker, *, alone: Mapping[str, float], valid: Mapping[str, Any]) -> None:
        self.site, self.worker, data = worker.site, worker, worker.data
        sizes = {"train": len(data.train), "valid": len(data.valid), "test": len(data.test)}
        normalised = batch_norm_names(worker.model)
        self.facts = WorkFacts(sizes, dict(data.skipped), specs(worker.model), normalised, alone, valid)

    @property
    def alive(self) -> bool:
        """Always, as this process is."""
        return True

    @property
    def student(self) -> Student | None:
        """The model at the end of the last phase two."""
        return self.worker.student

    @student.setter
    def student(self, student: Student | None) -> None:
        self.worker.student = student

    @property
    def site_tensors(self) -> Arrays:
        """The tensors that stay at the site for its next round."""
        return self.worker.site_tensors

    @site_tensors.setter
    def site_tensors(self, tensors: Arrays) -> None:
        self.worker.site_tensors = tensors

    def load(self, tensors: Arrays) -> None:
        """Puts the server's tensors into the model."""
        self.worker.load(tensors)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Copies of the model's tensors."""
        return self.worker.tensors()

    def metrics(self, split: str) -> dict[str, float]:
        """Loss and retrieval of the current model on ``valid`` or ``test``."""
        return split_metrics(self.worker.validate(split))

    def align(self, *, round_number: int, check: Check) -> Trained:
        """Phase one from the current model."""
        return trained(self.worker.align(round_number=round_number, check=check))

    def pretrain(self, *, round_number: int, check: Check) -> Trained:
        """Phase two from the current model."""
        return trained(self.worker.pretrain(round_number=round_number, check=check))

    def student_loss(self, round_number: int) -> dict[str, float]:
        """The loss of the model that the site trained in this round."""
        return self.worker.student_loss(round_number)

    def measure_student(self) -> None:
        """Measures the student, if it is not measured yet."""
        self.worker.measure_student()

    def work_ahead(self, *, check: Check) -> None:
        """Does work of the next task before it arrives."""
        self.worker.work_ahead(check=check)

    def end(self) -> None:
        """Ends with this process."""


def own_work(order: WorkOrder, abort: Abort) -> OwnWork:
    """Reads the site's data and builds the model.

    Args:
        order: what to work on.
        abort: checked while images are decoded, and before the model embeds a batch.

    Raises:
        InputError: for data, a vocabulary or a setting that cannot be used.
    """
    site, kit, configuration = order.site, Path(order.kit), order.configuration
    if order.settings.threads:
        torch.set_num_threads(order.settings.threads)
    model = new_model(configuration, order.vocabulary_hash, where=f"site {site}")
    folders = DataFolders(data_root(site, Path(order.config_dir), os.environ), kit / IMAGE_CACHE)
    data = folders.load(configuration, check=abort)
    model.register_forward_pre_hook(abort)
    settings = at_site(order.settings, os.environ, site=site)
    valid = valid_split(data.valid, batch_size=settings.valid_batch_size)
    alone = local_model_of(site, kit, os.environ).alone_loss(valid, configuration, order.vocabulary_hash)
    worker = worker_for(model, data, settings, site=site, folders=folders, folder=Path(order.run))
    return OwnWork(worker, alone=alone, valid=asdict(valid))


def trained(update: LocalUpdate) -> Trained:
    """The result of a phase, as plain data."""
    return Trained(update.delta, update.metrics)
