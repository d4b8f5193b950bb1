"""The base of our controllers: FLARE's ScatterAndGather with gated phases; it knows nothing of the method."""

from __future__ import annotations

import gc
from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping
from typing import Any

from nvflare.apis.client import Client
from nvflare.apis.controller_spec import ClientTask, Task
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.impl.bcast_manager import _KEY_MIN_RESPS
from nvflare.apis.impl.wf_comm_server import WFCommServer
from nvflare.apis.shareable import Shareable
from nvflare.apis.signal import Signal
from nvflare.app_common.workflows.scatter_and_gather import ScatterAndGather
from nvflare.widgets.info_collector import InfoCollector

from fedaid.errors import InputError, NotYet
from fedaid.flare.server.aggregator import AUTHENTICATED_SITE
from fedaid.flare.server.ballot import Ballot, Splits
from fedaid.flare.server.gate import BelowQuorum, Gate, RefusedAnswer
from fedaid.flare.server.persistor import RUN_STATE
from fedaid.flare.server.run_record import RunProgress, RunRecord
from fedaid.flare.server.run_settings import RunSettings
from fedaid.flare.wire.messages import model_to_shareable
from fedaid.flare.wire.replies import error_text, failure_text, was_refused
from fedaid.flare.wire.tasks import Arrays, ModelMessage, RunStamp, UpdateMessage
from fedaid.flare.wire.traffic import Traffic
from fedaid.minmax.settings import WHERE

Found = dict[str, Any]
Receive = Callable[[str, Shareable, FLContext], bool]  # of a site's reply: whether it is an answer that can be used


class GatedScatterAndGather(ScatterAndGather):  # type: ignore[misc]
    """Sends tasks and collects the sites' answers by the names that FLARE authenticated; :meth:`run` is the algorithm.

    FLARE counts replies; here an answer counts if its gate or ballot accepts it.

    Args:
        settings: what the job sets.
        task_name: the task of FLARE's own loop.
    """

    def __init__(self, settings: RunSettings, *, task_name: str) -> None:
        super().__init__(
            min_clients=settings.min_clients,
            num_rounds=settings.num_rounds,
            wait_time_after_min_received=settings.wait_time_after_min_received,
            aggregator_id=settings.aggregator_id,
            persistor_id=settings.persistor_id,
            shareable_generator_id=settings.shareable_generator_id,
            train_task_name=task_name,
            train_timeout=settings.task_timeout,
            ignore_result_error=True,  # this class counts the accepted answers
            task_check_period=0.05,
        )
        self.progress, self.traffic = RunProgress(settings.num_rounds), Traffic()
        self._record, self._abort = RunRecord(self.traffic), Signal()
        self._site_errors: dict[str, str] = {}
        self.stamp: RunStamp | None = None  # of a run that another job can continue

    def set_communicator(self, communicator: WFCommServer) -> None:
        """Sets the check period under the name that the communicator of 2.9.0 reads; the base class sets another."""
        super().set_communicator(communicator)
        communicator._task_check_period = self._task_check_period

    def start_controller(self, fl_ctx: FLContext) -> None:
        """Loads the model and checks the run against its sites.

        The base loop collects garbage after each round, or the server's memory would grow. With a tiny model that took
        0.4 s a round, nearly all of it for the objects of loaded modules. So all objects that exist now are exempt.
        """
        super().start_controller(fl_ctx)
        gc.collect()  # garbage that exists now would be exempt too, and stay in memory
        gc.freeze()
        try:
            self.check_sites(self.sites())
        except InputError as error:
            self.stop(error, fl_ctx)

    def check_sites(self, sites: list[str]) -> None:
        """Raises :class:`InputError` if a setting does not fit the sites that take part; nothing was sent yet."""
        rule, remedy = f"be at most the {len(sites)} sites of the run", "Lower min_clients or start more sites."
        if self._min_clients > len(sites):
            raise NotYet("min_clients", rule, got=self._min_clients, where=WHERE, remedy=remedy)

    def control_flow(self, abort_signal: Signal, fl_ctx: FLContext) -> None:
        """Runs the algorithm; an error that a person can mend ends the job with one line."""
        self._abort = abort_signal
        try:
            self.run(fl_ctx)
        except (BelowQuorum, InputError, OSError) as error:
            self.stop(error, fl_ctx)

    @abstractmethod
    def run(self, fl_ctx: FLContext) -> None:
        """The algorithm."""

    def run_rounds(self, fl_ctx: FLContext) -> None:
        """FLARE's own loop: it calls ``broadcast_and_wait`` once a round, aggregates, saves and fires events."""
        super().control_flow(self._abort, fl_ctx)

    def stop(self, error: Exception, fl_ctx: FLContext) -> None:
        """Ends the job with the error's text, unless a person has aborted it."""
        if not self._abort.triggered:
            self.system_panic(str(error), fl_ctx)

    def sites(self) -> list[str]:
        """Names of the sites that take part in this run."""
        return sorted(client.name for client in self._engine.get_clients())

    def task(self, name: str, tensors: Arrays, round_number: int) -> Task:
        """A task with tensors and what a site needs to build the model around them."""
        model = (tensors, self.persistor.configuration, self.persistor.vocabulary_hash)
        message = ModelMessage(round_number, *model, self.stamp, self._record.trained)
        return Task(name, model_to_shareable(message, num_rounds=self._num_rounds), timeout=self._train_timeout)

    def gate(self, phase: str, template: Arrays, **rules: Any) -> Gate:
        """Enters a phase of the current round and returns its gate; ``rules`` are other arguments of the gate."""
        self.progress.enter(phase, self._current_round)
        return Gate(phase=phase, round_number=self._current_round, run=self.stamp, template=template, **rules)

    def collect_updates(self, task: Task, fl_ctx: FLContext) -> dict[str, UpdateMessage]:
        """Sends ``task`` to the sites of the aggregator's phase, ends the phase and returns the accepted updates.

        Raises:
            BelowQuorum: if there are fewer than ``min_clients``.
        """
        self.send_to(self.aggregator.sites, task, fl_ctx, receive=self._accept_train_result)
        accepted: dict[str, UpdateMessage] = self.aggregator.close(fl_ctx)
        self.require_quorum(task.name, accepted, self.aggregator.refused)
        return accepted

    def collect_metrics(self, task: Task, ballot: Ballot, fl_ctx: FLContext) -> dict[str, Splits]:
        """Sends ``task`` to the sites of the ballot and returns their metrics by site name.

        Raises:
            BelowQuorum: if fewer than ``min_clients`` answered.
        """
        self.send_to(ballot.sites, task, fl_ctx, receive=self.taken_by(ballot.take))
        self.require_quorum(task.name, ballot.answers, ballot.refused)
        return dict(sorted(ballot.answers.items()))

    def taken_by(self, take: Callable[[str, Shareable], None]) -> Receive:
        """Receives a reply: hands an answer to ``take``, and logs an error and a refusal."""

        def receive(site: str, reply: Shareable, fl_ctx: FLContext) -> bool:
            if self._failed(site, reply, fl_ctx):
                return False
            try:
                take(site, reply)
            except RefusedAnswer as refusal:
                self.log_warning(fl_ctx, str(refusal))
                return False
            return True

        return receive

    def send_to(self, sites: list[str], task: Task, fl_ctx: FLContext, *, receive: Receive) -> None:
        """Sends a task and hands each reply to ``receive``.

        FLARE waits for a number of replies; it grows by one with each reply that cannot be used. FLARE refuses to ask
        fewer sites than ``min_clients``; then no site is asked, and the caller finds too few answers.
        """

        def count(client_task: ClientTask, fl_ctx: FLContext) -> None:
            if not receive(client_task.client.name, client_task.result, fl_ctx):
                task.props[_KEY_MIN_RESPS] += 1
            client_task.result = None

        self._site_errors = {}
        task.result_received_cb = count
        if len(sites) >= self._min_clients:
            super().broadcast_and_wait(
                task=task,
                fl_ctx=fl_ctx,
                targets=sites,
                min_responses=self._min_clients,
                wait_time_after_min_received=self._wait_time_after_min_received,
                abort_signal=self._abort,
            )

    def require_quorum(self, phase: str, accepted: Collection[str], refused: Mapping[str, str]) -> None:
        """Raises :class:`BelowQuorum`, with the reasons of the sites, for fewer than ``min_clients`` answers."""
        if len(accepted) < self._min_clients:
            reasons = " | ".join([*refused.values(), *self._site_errors.values()]) or "No answer in time."
            raise BelowQuorum(
                f"{phase} must have the answers of {self._min_clients} sites (min_clients), got {len(accepted)}: round "
                f"{self._current_round}. The model is unchanged. {reasons}"
            )

    def publish(self, fl_ctx: FLContext, *, best_round: int, **more: Any) -> None:
        """Gives the run's record, and what else a commit holds, to the components that save and show it."""
        fl_ctx.set_prop(RUN_STATE, self._record.state(best_round=best_round) | more, private=True, sticky=False)

    def conclude(self, measure: Callable[[Found], None], results: Callable[[Found], Found]) -> None:
        """Writes ``results.json``, whether or not all models could be measured.

        Args:
            measure: adds the metrics of the last and of the best model to what is found.
            results: returns what else the file says.
        """
        found: Found = {"best": {}, "last": {}}
        try:
            measure(found)
        except BelowQuorum as error:
            found["incomplete"] = str(error)
            raise
        finally:
            self.progress.enter("finished", self._current_round)
            self.persistor.deliver(found | results(found))

    def _accept_train_result(
        self, client_name: str, result: Shareable, fl_ctx: FLContext, is_unknown_task: bool = False
    ) -> bool:
        """Tells the aggregator the authenticated name of the site; the name that the site gives is not used."""
        fl_ctx.set_prop(AUTHENTICATED_SITE, client_name, private=True, sticky=False)
        if was_refused(result):
            self.aggregator.refuse(client_name, error_text(result), fl_ctx)
        else:
            self._failed(client_name, result, fl_ctx)
        return bool(super()._accept_train_result(client_name, result, fl_ctx, is_unknown_task))

    def _failed(self, site: str, reply: Shareable, fl_ctx: FLContext) -> bool:
        """Whether the reply is an error; its text goes to the log and to the person who runs the job."""
        if reply.get_return_code() == ReturnCode.OK:
            return False
        self._site_errors[site] = failure_text(site, reply)
        self.log_error(fl_ctx, self._site_errors[site])
        return True

    def process_result_of_unknown_task(
        self, client: Client, task_name: str, client_task_id: str, result: Shareable, fl_ctx: FLContext
    ) -> None:
        """Refuses a late result; the base class would hand it to the phase that is open now."""
        self.log_warning(fl_ctx, f"late result of site {client.name} for {task_name} refused")

    def handle_event(self, event_type: str, fl_ctx: FLContext) -> None:
        """Counts messages, and answers FLARE's request for statistics with the progress of the run."""
        super().handle_event(event_type, fl_ctx)
        if self._current_round is not None:
            self.traffic.note(event_type, fl_ctx, round_number=self._current_round)
        collector = fl_ctx.get_prop(InfoCollector.CTX_KEY_STATS_COLLECTOR)
        if event_type == InfoCollector.EVENT_TYPE_GET_STATS and collector:
            collector.add_info(group_name=self._name, info=self.progress.as_dict())
