"""The base of our controllers: a run of gated phases; it knows nothing of the method."""

from __future__ import annotations

import gc
import sys
from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nvflare.apis.controller_spec import Task
from nvflare.apis.fl_constant import FLContextKey
from nvflare.apis.fl_context import FLContext
from nvflare.apis.impl.wf_comm_server import WFCommServer
from nvflare.apis.shareable import Shareable
from nvflare.apis.signal import Signal
from nvflare.widgets.info_collector import InfoCollector

from fedaid.errors import InputError, NotYet
from fedaid.flare.answers.absent_sites import absent_sites
from fedaid.flare.answers.asking_scatter_gather import Asked, AskingScatterAndGather
from fedaid.flare.server.aggregator import AUTHENTICATED_SITE
from fedaid.flare.server.ballot import Ballot, Splits
from fedaid.flare.server.gate import BelowQuorum, Gate
from fedaid.flare.server.persistor import RUN_STATE
from fedaid.flare.server.run_record import RunProgress
from fedaid.flare.server.run_settings import RunSettings
from fedaid.flare.transport.site_requests import ASKING_SITE, REFUSED_REQUEST, REQUEST_TEXT
from fedaid.flare.wire.messages import model_to_shareable
from fedaid.flare.wire.replies import error_text, was_refused
from fedaid.flare.wire.tasks import Arrays, ModelMessage, RunStamp, UpdateMessage
from fedaid.minmax.pair_bounds import PairBounds
from fedaid.minmax.settings import WHERE
from fedaid.sealed_folder import Damaged

Found = dict[str, Any]
MENDABLE = (BelowQuorum, InputError, OSError)  # errors that :meth:`GatedScatterAndGather.stop` tells
LOOP_ERROR = "Exception in ScatterAndGather control_flow"  # how FLARE's loop begins its reason for any error


class GatedScatterAndGather(AskingScatterAndGather):
    """Collects the sites' answers by the names that FLARE authenticated, if a gate or ballot accepts them.

    :meth:`run` is the algorithm.

    Args:
        settings: what the job sets.
        task_name: the task of FLARE's own loop.
    """

    def __init__(self, settings: RunSettings, *, task_name: str) -> None:
        super().__init__(settings, task_name=task_name)
        self.progress = RunProgress(settings.num_rounds)
        self.stamp: RunStamp | None = None  # of a run that another job can continue
        self._loop_error: Exception | None = None

    def set_communicator(self, communicator: WFCommServer) -> None:
        """Sets the check period under the name that the communicator of 2.9.0 reads; the base class sets another."""
        super().set_communicator(communicator)
        communicator._task_check_period = self._task_check_period

    def start_controller(self, fl_ctx: FLContext) -> None:
        """Loads the model and checks the run against its sites.

        The base loop collects garbage after each round, or the server's memory would grow. With a tiny model that took
        0.4 s a round, nearly all of it for the objects of loaded modules. So all objects that exist now are exempt.
        """
        try:
            super().start_controller(fl_ctx)
            gc.collect()  # garbage that exists now would be exempt too, and stay in memory
            gc.freeze()
            self.check_sites(self.sites())
            self._note_absent(fl_ctx)
        except (InputError, OSError) as error:
            self.stop(self.with_remedy(error), fl_ctx)

    @property
    def withdrawn(self) -> list[str]:
        """Names of the sites that left the run for good."""
        return []

    @property
    def evaluating(self) -> list[str]:
        """Names of the sites that only evaluate the final model."""
        return []

    def _note_absent(self, fl_ctx: FLContext) -> None:
        """Notes the sites without a part in this job, for the results and for the person who watches the run."""
        app, attempt = fl_ctx.get_prop(FLContextKey.APP_ROOT), self.stamp.attempt if self.stamp else 1
        folder = Path(str(app)).parent if app else None
        found = absent_sites(folder, present=[*self.sites(), *self.evaluating], without=self.withdrawn, attempt=attempt)
        self._record.absent += [one for one in found if one not in self._record.absent]
        for one in found:
            self.log_warning(fl_ctx, f"site {one.site} has no part in this job: {one.reason}")

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
        except MENDABLE as error:
            self.stop(self.with_remedy(error), fl_ctx)

    def with_remedy(self, error: Exception) -> Exception:
        """The error; one of the operating system gets a line that says what to do."""
        if not isinstance(error, OSError) or isinstance(error, Damaged):
            return error
        what = f"a file at the server cannot be read or written: {error.strerror or type(error).__name__}"
        return Damaged(f"{what}. Free space on the server's disk, or mend it. {self.how_to_continue}")

    @abstractmethod
    def run(self, fl_ctx: FLContext) -> None:
        """The algorithm."""

    def run_rounds(self, fl_ctx: FLContext) -> None:
        """FLARE's own loop: it calls ``broadcast_and_wait`` once a round, aggregates, saves and fires events.

        Raises:
            OSError: if the disk does not take the round, or an accepted update cannot be read.
        """
        super().control_flow(self._abort, fl_ctx)
        if self._loop_error:
            raise self._loop_error

    def system_panic(self, reason: str, fl_ctx: FLContext) -> None:
        """Ends the job, but not for a mendable error in FLARE's loop, which the loop has caught: it is raised again."""
        error = sys.exception()
        if reason.startswith(LOOP_ERROR) and isinstance(error, MENDABLE):
            self._loop_error = error
        else:
            super().system_panic(reason, fl_ctx)

    def stop(self, error: Exception, fl_ctx: FLContext) -> None:
        """Ends the job with the error's text, unless a person has aborted it."""
        if not self._abort.triggered:
            self.system_panic(str(error), fl_ctx)

    def task(self, name: str, tensors: Arrays, round_number: int) -> Task:
        """A task with tensors and what a site needs to build the model around them."""
        model = (tensors, self.persistor.configuration, self.persistor.vocabulary_hash)
        message = ModelMessage(round_number, *model, self.stamp, self._record.trained)
        return Task(name, model_to_shareable(message, num_rounds=self._num_rounds), timeout=self._train_timeout)

    def gate(self, phase: str, template: Arrays, **rules: Any) -> Gate:
        """Enters a phase of the current round and returns its gate; ``rules`` are other arguments of the gate."""
        self.progress.enter(phase, self._current_round)
        rules |= {"run": self.stamp, "pairs": PairBounds(dict(self._record.pairs))}
        return Gate(phase=phase, round_number=self._current_round, template=template, **rules)

    def collect_updates(self, task: Task, fl_ctx: FLContext) -> dict[str, UpdateMessage]:
        """Sends ``task`` to the sites of the aggregator's phase, ends the phase and returns the accepted updates.

        Raises:
            BelowQuorum: if there are fewer than ``min_clients``.
        """
        phase = self.aggregator
        asked = Asked(phase.sites, self._accept_train_result, lambda: phase.accepted, lambda: phase.refused)
        self.ask(asked, task, fl_ctx)
        accepted: dict[str, UpdateMessage] = phase.close(fl_ctx)
        self.settle(asked, task.name)
        return accepted

    def collect_metrics(self, task: Task, ballot: Ballot, fl_ctx: FLContext) -> dict[str, Splits]:
        """Sends ``task`` to the sites of the ballot and returns their metrics by site name.

        Raises:
            BelowQuorum: if fewer than ``min_clients`` answered.
        """
        asked = Asked(ballot.sites, self.taken_by(ballot.take), lambda: ballot.answers, lambda: ballot.refused)
        self.ask(asked, task, fl_ctx)
        self.settle(asked, task.name)
        return dict(sorted(ballot.answers.items()))

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
            self.persistor.deliver(found | self.persistor.origin | results(found))

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

    def handle_event(self, event_type: str, fl_ctx: FLContext) -> None:
        """Answers FLARE's request for statistics with the progress of the run, and who missed what so far.

        A request that was refused may be why its site is silent from now on.
        """
        super().handle_event(event_type, fl_ctx)
        if event_type == REFUSED_REQUEST:
            self.attendance.hears(str(fl_ctx.get_prop(ASKING_SITE)), str(fl_ctx.get_prop(REQUEST_TEXT)))
        collector = fl_ctx.get_prop(InfoCollector.CTX_KEY_STATS_COLLECTOR)
        if event_type == InfoCollector.EVENT_TYPE_GET_STATS and collector:
            more = {"sites": self.sites() if self._engine else [], "bytes": self.traffic.total}
            collector.add_info(group_name=self._name, info=self.progress.as_dict() | self._record.absences | more)
