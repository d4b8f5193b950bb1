"""FLARE's ScatterAndGather with gated phases: what the method needs of FLARE, and nothing of the method."""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Mapping
from typing import Any

from nvflare.apis.client import Client
from nvflare.apis.controller_spec import ClientTask, Task
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.impl.bcast_manager import _KEY_MIN_RESPS
from nvflare.apis.impl.wf_comm_server import WFCommServer
from nvflare.apis.shareable import Shareable
from nvflare.app_common.workflows.scatter_and_gather import ScatterAndGather
from nvflare.widgets.info_collector import InfoCollector

from fedaid.flare.server.aggregator import AUTHENTICATED_SITE
from fedaid.flare.server.ballot import Ballot, Splits
from fedaid.flare.server.persistor import RunPersistor
from fedaid.flare.server.progress import RunProgress
from fedaid.flare.wire.messages import model_to_shareable
from fedaid.flare.wire.replies import error_text, was_refused
from fedaid.flare.wire.tasks import Arrays, ModelMessage, UpdateMessage
from fedaid.flare.wire.traffic import Traffic


class BelowQuorum(RuntimeError):
    """Fewer sites than ``min_clients`` gave an answer that could be used."""


class GatedScatterAndGather(ScatterAndGather):  # type: ignore[misc]
    """Sends tasks and collects answers by the name that FLARE authenticated; counts answers, not replies.

    Args:
        num_rounds: rounds.
        arguments: of FLARE's controller.
    """

    def __init__(self, *, num_rounds: int, **arguments: Any) -> None:
        # An error reply is no update; whether enough updates came is counted here, not by FLARE.
        super().__init__(num_rounds=num_rounds, ignore_result_error=True, task_check_period=0.05, **arguments)
        self.progress, self.traffic = RunProgress(num_rounds), Traffic()
        self._site_errors: dict[str, str] = {}

    def start_controller(self, fl_ctx: FLContext) -> None:
        """Loads the model; what is in memory by now is left out of the collection of garbage at each round's end.

        The base loop needs that collection, or the server's memory grows with every round. Of a tiny model's round it
        took 0.4 s, nearly all of it to walk through the modules that Python has loaded.
        """
        super().start_controller(fl_ctx)
        gc.collect()  # what is garbage by now would be left out, too, and stay for ever
        gc.freeze()

    def set_communicator(self, communicator: WFCommServer) -> None:
        """Hands over the check period under the name that 2.9.0 reads; the base class sets another."""
        super().set_communicator(communicator)
        communicator._task_check_period = self._task_check_period

    def sites(self) -> list[str]:
        """Names of the sites that take part in this run."""
        return sorted(client.name for client in self._engine.get_clients())

    def task(self, name: str, tensors: Arrays, round_number: int) -> Task:
        """A task that carries tensors and what a site needs to build the model around them."""
        persistor: RunPersistor = self.persistor
        message = ModelMessage(round_number, tensors, persistor.configuration, persistor.vocabulary_hash)
        return Task(name, model_to_shareable(message, num_rounds=self._num_rounds), timeout=self._train_timeout)

    def collect_updates(self, task: Task, fl_ctx: FLContext, **waiting: Any) -> dict[str, UpdateMessage]:
        """Sends ``task`` to the sites of the aggregator's open gate, closes it, and returns what it accepted.

        Raises:
            BelowQuorum: if that is less than ``min_clients``.
        """

        def receive(client_task: ClientTask, fl_ctx: FLContext) -> bool:
            return self._accept_train_result(client_task.client.name, client_task.result, fl_ctx)

        self._ask(task, self.aggregator.sites, fl_ctx, receive=receive, **waiting)
        accepted: dict[str, UpdateMessage] = self.aggregator.close()
        self._require_quorum(task.name, accepted, self.aggregator.refused)
        return accepted

    def collect_metrics(self, task: Task, ballot: Ballot, fl_ctx: FLContext, **waiting: Any) -> dict[str, Splits]:
        """Sends ``task`` to all sites and returns their metrics by site name.

        Raises:
            BelowQuorum: if fewer than ``min_clients`` answered.
        """

        def receive(client_task: ClientTask, fl_ctx: FLContext) -> bool:
            site = client_task.client.name
            taken = not self._failed(site, client_task.result, fl_ctx) and ballot.take(site, client_task.result)
            if site in ballot.refused:
                self.log_warning(fl_ctx, ballot.refused[site])
            return taken

        self._ask(task, ballot.sites, fl_ctx, receive=receive, **waiting)
        self._require_quorum(task.name, ballot.answers, ballot.refused)
        return dict(sorted(ballot.answers.items()))

    def _ask(
        self,
        task: Task,
        sites: list[str],
        fl_ctx: FLContext,
        *,
        receive: Callable[[ClientTask, FLContext], bool],
        **waiting: Any,
    ) -> None:
        """Sends a task and hands each reply to ``receive``, which says whether it is an answer that can be used.

        FLARE counts replies; for each that is of no use it is told to wait for one more. It would refuse to ask fewer
        sites than ``min_clients``: then nobody is asked, and the caller finds too few answers.
        """

        def count(client_task: ClientTask, fl_ctx: FLContext) -> None:
            if not receive(client_task, fl_ctx):
                task.props[_KEY_MIN_RESPS] += 1
            client_task.result = None

        self._site_errors = {}
        task.result_received_cb = count
        if len(sites) >= self._min_clients:
            super().broadcast_and_wait(task=task, fl_ctx=fl_ctx, targets=sites, **waiting)

    def _require_quorum(self, phase: str, accepted: Collection[str], refused: Mapping[str, str]) -> None:
        if len(accepted) < self._min_clients:
            reasons = " | ".join([*refused.values(), *self._site_errors.values()]) or "No answer in time."
            raise BelowQuorum(
                f"{phase} must have the answers of {self._min_clients} sites (min_clients), got {len(accepted)}: round "
                f"{self._current_round}. The model is unchanged. {reasons}"
            )

    def _accept_train_result(
        self, client_name: str, result: Shareable, fl_ctx: FLContext, is_unknown_task: bool = False
    ) -> bool:
        """Tells the aggregator whose result this is; the peer's own word for it is not asked."""
        fl_ctx.set_prop(AUTHENTICATED_SITE, client_name, private=True, sticky=False)
        if was_refused(result):
            self.aggregator.refuse(client_name, error_text(result), fl_ctx)
        else:
            self._failed(client_name, result, fl_ctx)
        accepted: bool = super()._accept_train_result(client_name, result, fl_ctx, is_unknown_task)
        return accepted

    def _failed(self, site: str, result: Shareable, fl_ctx: FLContext) -> bool:
        """Whether the reply is an error; if so its text is kept for the message to the person who runs the job."""
        if result.get_return_code() == ReturnCode.OK:
            return False
        self._site_errors[site] = f"site {site} could not work: {error_text(result)}"
        self.log_error(fl_ctx, self._site_errors[site])
        return True

    def process_result_of_unknown_task(
        self, client: Client, task_name: str, client_task_id: str, result: Shareable, fl_ctx: FLContext
    ) -> None:
        """Refuses a late result: the base class would hand it to the phase that is open by then."""
        self.log_warning(fl_ctx, f"late result of site {client.name} for {task_name} refused")

    def handle_event(self, event_type: str, fl_ctx: FLContext) -> None:
        """Counts messages, and answers FLARE's request for statistics with the progress of the run."""
        super().handle_event(event_type, fl_ctx)
        if self._current_round is not None:
            self.traffic.note(event_type, fl_ctx, round_number=self._current_round)
        collector = fl_ctx.get_prop(InfoCollector.CTX_KEY_STATS_COLLECTOR)
        if event_type == InfoCollector.EVENT_TYPE_GET_STATS and collector:
            collector.add_info(group_name=self._name, info=self.progress.as_dict())
