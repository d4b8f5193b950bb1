"""The executor of the training jobs: unpacks a task, has the site's worker do it, and packs the answer."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from nvflare.apis.event_type import EventType
from nvflare.apis.executor import Executor
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable, make_reply
from nvflare.apis.signal import Signal

from fedaid.arguments import keeps_arguments, parameters_of
from fedaid.data.site import data_root
from fedaid.errors import settings_from
from fedaid.evaluation.retrieval import split_metrics
from fedaid.flare.server.gate import judge_tensors
from fedaid.flare.site.fault import Fault, fault_of
from fedaid.flare.site.local_model import local_model_of, valid_split
from fedaid.flare.site.round_normalisation import normalisation_after
from fedaid.flare.site.site_state import SiteState
from fedaid.flare.site.task_memory import TaskMemory
from fedaid.flare.software.software_report import PROPERTY, software_report
from fedaid.flare.transport.array_exchange import receive_in_memory
from fedaid.flare.transport.exception_texts import hide_exception_texts
from fedaid.flare.wire.messages import metrics_to_shareable, model_from_shareable, update_to_shareable
from fedaid.flare.wire.plain_answer import check_filtered, checked
from fedaid.flare.wire.replies import OUT_OF_MEMORY, error_reply
from fedaid.flare.wire.tasks import (
    ALIGN,
    PRETRAIN,
    TRAIN,
    VALIDATE,
    MalformedMessage,
    MetricsMessage,
    ModelMessage,
    UpdateMessage,
)
from fedaid.models.saved_model import new_model
from fedaid.models.tensor_names import is_alignment
from fedaid.training.model_tensors import specs
from fedaid.training.processes.data_folders import DataFolders
from fedaid.training.processes.spread_worker import at_site, worker_for
from fedaid.training.settings import WHERE, TrainingSettings
from fedaid.training.site_worker import LocalUpdate, SiteWorker

ROUND_MODEL = "round"  # set of tensors: the model of the round, because pretrain sends its alignment modules only
IMAGE_CACHE = "fedaid_image_cache"  # folder in the site's startup kit, for all jobs


class Aborted(RuntimeError):
    """The run was aborted."""


class Abort:
    """Checks for an abort: during decoding, at every training step, and before the model embeds a batch.

    Attributes:
        signal: of the current task.
    """

    def __init__(self) -> None:
        self.signal = Signal()

    def __call__(self, *_: object) -> None:
        """Raises :class:`Aborted` if the run was aborted."""
        if self.signal.triggered:
            raise Aborted

    def __deepcopy__(self, memo: dict[int, object]) -> Abort:
        """Returns itself, so that a copy of the model (the teacher) checks the same signal."""
        return self


class FedAIDExecutor(Executor):  # type: ignore[misc]
    """Does the tasks ``align``, ``pretrain``, ``train`` and ``validate`` at one site.

    Args:
        settings: the fields of :class:`TrainingSettings`. A job does not set the folder of the site's data: the site
            does, see :func:`data_root`.

    Raises:
        InputError: for an unknown or unusable setting.
    """

    @keeps_arguments(*parameters_of(TrainingSettings))
    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self._settings = settings_from(TrainingSettings, settings, where=WHERE)
        self._worker: SiteWorker | None = None
        self._alone: dict[str, float] = {}  # the loss of the local model, if it is comparable with this run
        self._round: int | None = None  # round of the model that the worker holds, with its encoders as received
        self._memory, self._abort = TaskMemory(), Abort()
        self._state = SiteState(self._settings, self._memory)
        self._tasks = {ALIGN: self._align, PRETRAIN: self._pretrain, TRAIN: self._train, VALIDATE: self._validate}

    def handle_event(self, event_type: str, fl_ctx: FLContext) -> None:
        """Sets this process up at the start of a run, and works ahead while the server does not wait for this site."""
        super().handle_event(event_type, fl_ctx)
        self._memory.notice(event_type)
        check_filtered(event_type, fl_ctx)
        if event_type == EventType.START_RUN:
            hide_exception_texts()
            receive_in_memory()
            fl_ctx.set_prop(PROPERTY, software_report(), private=False, sticky=True)
        if event_type == EventType.START_RUN and self._settings.threads:
            torch.set_num_threads(self._settings.threads)
        if event_type == EventType.AFTER_SEND_TASK_RESULT:
            self._work_ahead(fl_ctx)

    def execute(self, task_name: str, shareable: Shareable, fl_ctx: FLContext, abort_signal: Signal) -> Shareable:
        """Returns the answer to a task; this is the only place where an error becomes a return code."""
        if task_name not in self._tasks:
            # FLARE's server would end the whole job on TASK_UNKNOWN.
            return error_reply(ReturnCode.BAD_TASK_DATA, "the task is unknown at this site")
        self._abort.signal = abort_signal
        try:
            reply: Shareable = self._tasks[task_name](model_from_shareable(shareable), fl_ctx)
            return checked(reply)
        except Aborted:
            return make_reply(ReturnCode.TASK_ABORTED)
        except Exception as error:
            return self._failed(task_name, fault_of(error), fl_ctx)

    def _failed(self, task_name: str, fault: Fault, fl_ctx: FLContext) -> Shareable:
        """The answer to a task that failed; FLARE sends error logs to the server."""
        self.log_error(fl_ctx, fault.text or f"{task_name} failed with {fault.kind}:\n{fault.place}")
        code = ReturnCode.BAD_TASK_DATA if fault.text else ReturnCode.EXECUTION_EXCEPTION
        reason = OUT_OF_MEMORY if fault.out_of_memory else ""
        return error_reply(code, fault.said(task_name), reason=reason, invalid=fault.invalid)

    def _work_ahead(self, fl_ctx: FLContext) -> None:
        """Starts the work of the next task now; after an abort or an error here, the task itself does that work."""
        if self._worker is None or self._memory.may_end_with_task:
            return
        try:
            self._worker.work_ahead(check=self._abort)
            self._state.settle(self._worker, fl_ctx)
        except Aborted:
            pass
        except Exception as error:
            self.log_warning(fl_ctx, f"left for the next task after {type(error).__name__}")

    def _align(self, message: ModelMessage, fl_ctx: FLContext) -> Shareable:
        worker = self._loaded(message, fl_ctx)
        self._memory.remember(
            ROUND_MODEL, dict(message.tensors), description={"round": message.round_number}, fl_ctx=fl_ctx
        )
        metrics = self._before_training(worker, message.round_number)
        update = worker.align(round_number=message.round_number, check=self._abort)
        self._round = message.round_number
        return self._answer(message, update, metrics)

    def _pretrain(self, message: ModelMessage, fl_ctx: FLContext) -> Shareable:
        if self._round != message.round_number:  # another model was loaded, or this is a new process
            self._loaded(self._round_model(message, fl_ctx), fl_ctx)
        worker = self._loaded(message, fl_ctx, moves=is_alignment)
        update = self._trained(worker, message, fl_ctx)
        return self._answer(message, update, update.metrics)

    def _round_model(self, message: ModelMessage, fl_ctx: FLContext) -> ModelMessage:
        """The message with the whole model of its round, which the site received with ``align``."""
        found, number = self._memory.recall(ROUND_MODEL, fl_ctx), message.round_number
        held = found.description["round"] if found else None
        if found is None or held != number:
            got = "no model" if held is None else f"the model of round {held}"
            raise MalformedMessage(f"pretrain of round {number} must follow align of that round, got {got}: this site")
        return replace(message, tensors=found.tensors)

    def _train(self, message: ModelMessage, fl_ctx: FLContext) -> Shareable:
        """FedAvg's one task a round: measures the validation loss of the model, then trains."""
        worker = self._loaded(message, fl_ctx)
        metrics = self._before_training(worker, message.round_number)
        update = self._trained(worker, message, fl_ctx)
        return self._answer(message, update, metrics | update.metrics)

    def _before_training(self, worker: SiteWorker, round_number: int) -> dict[str, float]:
        """Metrics of the round's model on the validation split, and the baseline losses of the site's own models."""
        metrics = split_metrics(worker.validate("valid"))
        return metrics | self._alone | worker.student_loss(round_number - 1) | self._state.take_lost()

    def _trained(self, worker: SiteWorker, message: ModelMessage, fl_ctx: FLContext) -> LocalUpdate:
        """Phase two; then keeps what later rounds need of the trained model."""
        update = worker.pretrain(round_number=message.round_number, check=self._abort)
        self._state.keep(worker, message, fl_ctx)
        return update

    def _validate(self, message: ModelMessage, fl_ctx: FLContext) -> Shareable:
        worker, number = self._ready(message, fl_ctx), message.round_number
        with normalisation_after(self._memory, worker, rounds=number, fl_ctx=fl_ctx):
            worker = self._loaded(message, fl_ctx)
        splits = {name: split_metrics(worker.validate(name)) for name in worker.splits if len(worker.splits[name])}
        return metrics_to_shareable(MetricsMessage(message.round_number, splits))

    def _loaded(
        self, message: ModelMessage, fl_ctx: FLContext, *, moves: Callable[[str], bool] = lambda name: True
    ) -> SiteWorker:
        """The worker with the message's tensors; they must be exactly the tensors that the task ``moves``."""
        worker, self._round = self._ready(message, fl_ctx), None
        try:
            judge_tensors(message.tensors, {name: spec for name, spec in specs(worker.model).items() if moves(name)})
        except ValueError as reason:
            raise MalformedMessage(f"model of round {message.round_number} refused: {reason}") from reason
        self._abort()  # reading the data takes long
        worker.load(message.tensors)
        return worker

    def _ready(self, message: ModelMessage, fl_ctx: FLContext) -> SiteWorker:
        """The worker; the first task makes it and so checks the site's data."""
        if self._worker is None:
            site, configuration = fl_ctx.get_identity_name(), message.configuration
            model = new_model(configuration, message.vocabulary_hash, where=f"site {site}")
            workspace = fl_ctx.get_engine().get_workspace()
            root = data_root(site, Path(workspace.get_site_config_dir()), os.environ)
            folders = DataFolders(root, Path(workspace.get_root_dir()) / IMAGE_CACHE)
            data = folders.load(configuration, check=self._abort)
            sizes = f"{len(data.train)} train, {len(data.valid)} valid, {len(data.test)} test studies"
            self.log_info(fl_ctx, f"{sizes}; skipped by reason: {dict(data.skipped)}")
            model.register_forward_pre_hook(self._abort)
            run = Path(workspace.get_run_dir(fl_ctx.get_job_id()))
            settings = at_site(self._settings, os.environ, site=site)
            split = valid_split(data.valid, batch_size=settings.valid_batch_size)
            alone = local_model_of(site, Path(workspace.get_root_dir()), os.environ)
            self._alone = alone.alone_loss(split, configuration, message.vocabulary_hash)
            self._worker = worker_for(model, data, settings, site=site, folders=folders, folder=run)
            self._state.restore(self._worker, message, fl_ctx)
        return self._worker

    def _answer(self, message: ModelMessage, update: LocalUpdate, metrics: dict[str, float]) -> Shareable:
        data = self._worker.data  # type: ignore[union-attr]
        pairs, number = len(data.train), message.round_number
        return update_to_shareable(UpdateMessage(number, update.delta, metrics, pairs, data.skipped, message.run))
