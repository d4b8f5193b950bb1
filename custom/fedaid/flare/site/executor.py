"""The executor of the training jobs: unpacks a task, has the site's worker do it, and packs the answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from nvflare.apis.event_type import EventType
from nvflare.apis.executor import Executor
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable, make_reply
from nvflare.apis.signal import Signal

from fedaid.arguments import keeps_arguments, parameters_of
from fedaid.errors import settings_from
from fedaid.flare.server.gate import judge_tensors
from fedaid.flare.site.round_normalisation import normalisation_after
from fedaid.flare.site.site_state import SiteState
from fedaid.flare.site.task_memory import TaskMemory
from fedaid.flare.site.work.abort import Abort, Aborted
from fedaid.flare.site.work.child_work import ChildWork
from fedaid.flare.site.work.fault import Fault, fault_of
from fedaid.flare.site.work.site_work import CHILD, SiteWork, Trained, WorkOrder, splits_of
from fedaid.flare.software.software_report import PROPERTY, require_recent, software_report
from fedaid.flare.transport.array_exchange import receive_at_site
from fedaid.flare.transport.exception_texts import hide_exception_texts
from fedaid.flare.transport.gone_controller import end_with_controller
from fedaid.flare.transport.lasting_streams import poll_again_soon
from fedaid.flare.transport.steady_clock import keep_steady
from fedaid.flare.wire.messages import metrics_to_shareable, model_from_shareable, update_to_shareable
from fedaid.flare.wire.plain_answer import check_filtered, checked
from fedaid.flare.wire.replies import error_reply
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
from fedaid.models.tensor_names import is_alignment
from fedaid.training.settings import WHERE, TrainingSettings

ROUND_MODEL = "round"  # set of tensors: the model of the round, because pretrain sends its alignment modules only


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
        self._work: SiteWork | None = None
        self._round: int | None = None  # round of the model that the work holds, with its encoders as received
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
            keep_steady()
            poll_again_soon(fl_ctx.get_engine())
            end_with_controller(fl_ctx.get_engine(), fl_ctx)
            receive_at_site(Path(fl_ctx.get_engine().get_workspace().get_run_dir(fl_ctx.get_job_id())))
            fl_ctx.set_prop(PROPERTY, software_report(), private=False, sticky=True)
        if event_type == EventType.AFTER_SEND_TASK_RESULT:
            self._work_ahead(fl_ctx)
        if event_type == EventType.END_RUN:
            self._end_work()

    def execute(self, task_name: str, shareable: Shareable, fl_ctx: FLContext, abort_signal: Signal) -> Shareable:
        """Returns the answer to a task; this is the only place where an error becomes a return code."""
        if task_name not in self._tasks:
            # FLARE's server would end the whole job on TASK_UNKNOWN.
            return error_reply(ReturnCode.BAD_TASK_DATA, "the task is unknown at this site")
        self._abort.signal = abort_signal
        try:
            message = model_from_shareable(shareable)
            if task_name != VALIDATE and self._state.rewind(self._ready(message, fl_ctx), message, fl_ctx):
                self._round = None
            reply: Shareable = self._tasks[task_name](message, fl_ctx)
            return checked(reply)
        except Aborted:
            return make_reply(ReturnCode.TASK_ABORTED)
        except Exception as error:
            return self._failed(task_name, fault_of(error), fl_ctx)

    def _failed(self, task_name: str, fault: Fault, fl_ctx: FLContext) -> Shareable:
        """The answer to a task that failed; FLARE sends error logs to the server."""
        said = fault.text or (f"{task_name} failed with {fault.kind}:\n{fault.place}" if fault.place else "")
        self.log_error(fl_ctx, said or fault.said(task_name))
        code = ReturnCode.BAD_TASK_DATA if fault.text else ReturnCode.EXECUTION_EXCEPTION
        return error_reply(code, fault.said(task_name), reason=fault.reason, invalid=fault.invalid)

    def _work_ahead(self, fl_ctx: FLContext) -> None:
        """Starts the work of the next task now; after an abort or an error here, the task itself does that work."""
        if self._work is None or not self._work.alive or self._memory.may_end_with_task:
            return
        try:
            self._work.work_ahead(check=self._abort)
            self._state.settle(self._work, fl_ctx)
        except Aborted:
            pass
        except Exception as error:
            self.log_warning(fl_ctx, f"left for the next task after {fault_of(error).kind}")

    def _align(self, message: ModelMessage, fl_ctx: FLContext) -> Shareable:
        work = self._loaded(message, fl_ctx)
        self._memory.remember(
            ROUND_MODEL, dict(message.tensors), description={"round": message.round_number}, fl_ctx=fl_ctx
        )
        metrics = self._before_training(work, message.round_number)
        update = work.align(round_number=message.round_number, check=self._abort)
        self._round = message.round_number
        return self._answer(message, update, metrics, work)

    def _pretrain(self, message: ModelMessage, fl_ctx: FLContext) -> Shareable:
        self._ready(message, fl_ctx)
        if self._round != message.round_number:  # another model was loaded, or this is a new process
            self._loaded(self._round_model(message, fl_ctx), fl_ctx)
        work = self._loaded(message, fl_ctx, moves=is_alignment)
        update = self._trained(work, message, fl_ctx)
        return self._answer(message, update, update.metrics, work)

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
        work = self._loaded(message, fl_ctx)
        metrics = self._before_training(work, message.round_number)
        update = self._trained(work, message, fl_ctx)
        return self._answer(message, update, metrics | update.metrics, work)

    def _before_training(self, work: SiteWork, round_number: int) -> dict[str, float]:
        """Metrics of the round's model on the validation split, and the baseline losses of the site's own models."""
        metrics, alone = work.metrics("valid"), dict(work.facts.alone)
        return metrics | alone | work.student_loss(round_number - 1) | self._state.lost_in(round_number)

    def _trained(self, work: SiteWork, message: ModelMessage, fl_ctx: FLContext) -> Trained:
        """Phase two; then keeps what later rounds need of the trained model."""
        self._state.begin(message)
        update = work.pretrain(round_number=message.round_number, check=self._abort)
        self._state.keep(work, message, fl_ctx)
        return update

    def _validate(self, message: ModelMessage, fl_ctx: FLContext) -> Shareable:
        work, number = self._ready(message, fl_ctx), message.round_number
        with normalisation_after(self._memory, work, rounds=number, fl_ctx=fl_ctx):
            work = self._loaded(message, fl_ctx)
        return self._metrics(work, message)

    def _metrics(self, work: SiteWork, message: ModelMessage) -> Shareable:
        """The current model's metrics on every split for validation."""
        splits = {name: work.metrics(name) for name in splits_of(work.facts)}
        return metrics_to_shareable(MetricsMessage(message.round_number, splits))

    def _loaded(
        self, message: ModelMessage, fl_ctx: FLContext, *, moves: Callable[[str], bool] = lambda name: True
    ) -> SiteWork:
        """The work with the message's tensors; they must be exactly the tensors that the task ``moves``."""
        work, self._round = self._ready(message, fl_ctx), None
        try:
            judge_tensors(message.tensors, {name: spec for name, spec in work.facts.specs.items() if moves(name)})
        except ValueError as reason:
            raise MalformedMessage(f"model of round {message.round_number} refused: {reason}") from reason
        self._abort()  # reading the data takes long
        work.load(message.tensors)
        return work

    def _ready(self, message: ModelMessage, fl_ctx: FLContext) -> SiteWork:
        """The work; the first task begins it and so checks the site's data, as does the first after its end."""
        if self._work is None or not self._work.alive:
            self._end_work()
            work = self._begin(order_for(message, self._settings, fl_ctx), fl_ctx)
            sizes = ", ".join(f"{count} {split}" for split, count in work.facts.sizes.items())
            self.log_info(fl_ctx, f"{sizes} studies; skipped by reason: {dict(work.facts.skipped)}")
            try:
                self._state.restore(work, message, fl_ctx)
            except BaseException:
                work.end()
                raise
            self._work = work
        return self._work

    def _begin(self, order: WorkOrder, fl_ctx: FLContext) -> SiteWork:
        """Begins the work where ``training_process`` says; in FLARE's simulator always in this process.

        The simulator does not fail a run for the end of one process, since all sites share one.
        """
        require_recent(order.site)
        if self._settings.training_process == CHILD and not self._memory.announced:
            return ChildWork(order, self._abort, log_level=logging.getLogger("fedaid").getEffectiveLevel())
        from fedaid.flare.site.work.own_work import own_work  # it loads torch

        return own_work(order, self._abort)

    def _end_work(self) -> None:
        """Ends the work, if it has begun."""
        work, self._work, self._round = self._work, None, None
        if work is not None:
            work.end()

    def _answer(self, message: ModelMessage, update: Trained, metrics: dict[str, float], work: SiteWork) -> Shareable:
        facts, number = work.facts, message.round_number
        pairs, skipped = facts.sizes["train"], facts.skipped
        return update_to_shareable(UpdateMessage(number, update.delta, metrics, pairs, skipped, message.run))


def order_for(message: ModelMessage, settings: TrainingSettings, fl_ctx: FLContext) -> WorkOrder:
    """What the work of a job needs to begin."""
    workspace = fl_ctx.get_engine().get_workspace()
    return WorkOrder(
        site=fl_ctx.get_identity_name(),
        kit=workspace.get_root_dir(),
        config_dir=workspace.get_site_config_dir(),
        run=workspace.get_run_dir(fl_ctx.get_job_id()),
        settings=settings,
        configuration=message.configuration,
        vocabulary_hash=message.vocabulary_hash,
    )
