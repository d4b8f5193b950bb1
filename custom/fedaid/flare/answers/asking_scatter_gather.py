"""Asks sites for answers, counts those that are accepted, and tries a phase again once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from nvflare.apis.client import Client
from nvflare.apis.controller_spec import ClientTask, Task
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import FLContextKey, ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.impl.bcast_manager import _KEY_MIN_RESPS, _KEY_WAIT_TIME_AFTER_MIN_RESPS
from nvflare.apis.shareable import Shareable
from nvflare.apis.signal import Signal
from nvflare.app_common.workflows.scatter_and_gather import ScatterAndGather

from fedaid.flare.answers.attendance import Attendance
from fedaid.flare.server.gate import BelowQuorum, RefusedAnswer
from fedaid.flare.server.run_record import RunRecord
from fedaid.flare.server.run_settings import RunSettings
from fedaid.flare.store.missed_phases import ERROR, REFUSED, SILENT, Retry
from fedaid.flare.transport.shared_task_data import share_arrays
from fedaid.flare.wire.replies import error_reason, error_text, was_refused
from fedaid.flare.wire.traffic import Traffic

Receive = Callable[[str, Shareable, FLContext], bool]  # of a site's reply: whether it is an answer that can be used
AGAIN = "To start again, submit the same job again."


@dataclass(frozen=True)
class Asked:
    """One phase: who is asked, and what counts.

    Attributes:
        sites: names of the sites.
        receive: takes a reply.
        accepted: returns the sites with an accepted answer so far.
        refused: returns site → why an answer was not accepted.
    """

    sites: list[str]
    receive: Receive
    accepted: Callable[[], Collection[str]]
    refused: Callable[[], Mapping[str, str]]


class AskingScatterAndGather(ScatterAndGather):  # type: ignore[misc]
    """Asks sites for answers; FLARE counts replies, here an answer counts if it is accepted.

    Args:
        settings: what the job sets.
        task_name: the task of FLARE's own loop.

    Attributes:
        traffic: counts bytes.
        attendance: which sites are waited for, and why the others are missing.
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
        self.traffic, self.attendance = Traffic(), Attendance()
        self._record, self._abort = RunRecord(self.traffic), Signal()

    def sites(self) -> list[str]:
        """Names of the sites that take part in this run."""
        return sorted(client.name for client in self._engine.get_clients())

    def ask(self, asked: Asked, task: Task, fl_ctx: FLContext) -> None:
        """Sends ``task``; if fewer than ``min_clients`` answers are accepted, asks the missing sites once more.

        Accepted answers stay, and a site that works again has the same seeds, so a second try changes no bits.
        """
        self.send_to(asked.sites, task, fl_ctx, receive=asked.receive)
        accepted = asked.accepted()
        missing, least = sorted({*asked.sites} - {*accepted}), self._min_clients - len(accepted)
        if not missing or not 0 < least <= len(missing) or self._abort.triggered:
            return
        self._record.retries.append(Retry(self._current_round, task.name, missing))
        self.attendance.settle(asked.sites, accepted, asked.refused())
        why = self.attendance.said_of(missing)
        self.log_warning(fl_ctx, f"{task.name} of round {self._current_round} is tried again at {missing}: {why}")
        self.try_again(missing, self._same_task(task, missing), fl_ctx, receive=asked.receive, least=least)

    def try_again(self, sites: list[str], task: Task, fl_ctx: FLContext, *, receive: Receive, least: int) -> None:
        """Asks the sites that are missing once more."""
        self.send_to(sites, task, fl_ctx, receive=receive, least=least)

    def _same_task(self, task: Task, missing: list[str]) -> Task:
        """The task once more: the encoder of task data sees the same version of the model, so its bits are the same.

        If no missing site has replied, the second try is short, until one of them asks for the task.
        """
        replied = any(self.attendance.absences[site].reason != SILENT for site in missing)
        short = max(1, min(self._train_timeout, self._wait_time_after_min_received))
        again = Task(task.name, task.data, timeout=self._train_timeout if replied else short, operator=task.operator)
        again.msg_root_id, again.before_task_sent_cb = task.msg_root_id, task.before_task_sent_cb

        def sent(client_task: ClientTask, fl_ctx: FLContext) -> None:
            again.timeout = self._train_timeout

        again.after_task_sent_cb = sent
        return again

    def send_to(
        self, sites: list[str], task: Task, fl_ctx: FLContext, *, receive: Receive, least: int | None = None
    ) -> None:
        """Sends a task and hands each reply to ``receive``.

        FLARE waits for a number of replies; it grows by one with each reply that cannot be used. Then FLARE waits
        ``wait_time_after_min_received`` seconds; that ends when every site that is not silent has replied. FLARE
        refuses to ask fewer sites than it waits for; then no site is asked, and the caller finds too few answers.

        Args:
            sites: those to ask.
            task: what to do.
            fl_ctx: of the run.
            receive: takes each reply.
            least: answers to wait for; ``min_clients`` if None.
        """
        needed = self._min_clients if least is None else least

        def count(client_task: ClientTask, fl_ctx: FLContext) -> None:
            site, result = client_task.client.name, client_task.result
            everyone = self.attendance.replied(site)
            if not self._usable(receive, site, result, fl_ctx):
                task.props[_KEY_MIN_RESPS] += 1
            if everyone:
                task.props[_KEY_WAIT_TIME_AFTER_MIN_RESPS] = 0
            client_task.result = None

        if len(sites) < needed:
            return
        self.attendance.begin(sites)
        task.result_received_cb = count
        share_arrays(task)
        super().broadcast_and_wait(
            task=task,
            fl_ctx=fl_ctx,
            targets=sites,
            min_responses=needed,
            wait_time_after_min_received=self._wait_time_after_min_received,
            abort_signal=self._abort,
        )
        fallen = self.attendance.over()
        if fallen and not self._abort.triggered:
            text = "gave no answer in time; later phases do not wait for it until it answers"
            self.log_warning(fl_ctx, f"{task.name} of round {self._current_round}: site {', '.join(fallen)} {text}")

    def _usable(self, receive: Receive, site: str, reply: Shareable, fl_ctx: FLContext) -> bool:
        """Whether a reply is an answer that counts; whatever a site sends ends neither the phase nor the job."""
        try:
            return receive(site, reply, fl_ctx)
        except Exception as error:  # FLARE would end the phase of all sites
            text = f"answer of site {site} refused: it cannot be read ({type(error).__name__})"
            self.unreadable(site, text, fl_ctx)
            return False

    def unreadable(self, site: str, text: str, fl_ctx: FLContext) -> None:
        """Refuses an answer that a receiver could not handle."""
        self.attendance.fails(site, REFUSED, text.partition("refused: ")[2])
        self.log_exception(fl_ctx, text)

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

    def settle(self, asked: Asked, phase: str) -> None:
        """Ends a phase: notes the sites that missed it.

        Raises:
            BelowQuorum: for fewer than ``min_clients`` accepted answers; it names the missing sites and their reasons.
        """
        accepted, number = asked.accepted(), self._current_round
        self.attendance.settle(asked.sites, accepted, asked.refused())
        self._record.missed += self.attendance.missed(asked.sites, round_number=number, phase=phase)
        if len(accepted) < self._min_clients:
            raise BelowQuorum(
                f"{phase} must have the answers of {self._min_clients} sites (min_clients), got {len(accepted)}: round "
                f"{number}. The model is unchanged. {self.attendance.said_of({*self.sites()} - {*accepted})}. "
                f"{self.how_to_continue}"
            )

    @property
    def how_to_continue(self) -> str:
        """What a person does after a stop."""
        return AGAIN

    def _failed(self, site: str, reply: Shareable, fl_ctx: FLContext) -> bool:
        """Whether the reply is an error; its text goes to the log and to the person who runs the job."""
        if reply.get_return_code() == ReturnCode.OK:
            return False
        reason = REFUSED if was_refused(reply) else error_reason(reply) or ERROR
        self.attendance.fails(site, reason, error_text(reply))
        self.log_error(fl_ctx, self.attendance.said_of([site]))
        return True

    def process_result_of_unknown_task(
        self, client: Client, task_name: str, client_task_id: str, result: Shareable, fl_ctx: FLContext
    ) -> None:
        """Refuses a late result; the base class would hand it to the phase that is open now."""
        self.log_warning(fl_ctx, f"late result of site {client.name} for {task_name} refused")

    def handle_event(self, event_type: str, fl_ctx: FLContext) -> None:
        """Counts messages, and notes which sites are alive."""
        super().handle_event(event_type, fl_ctx)
        if self._current_round is not None:
            self.traffic.note(event_type, fl_ctx, round_number=self._current_round)
        peer = fl_ctx.get_peer_context()
        if event_type == EventType.BEFORE_PROCESS_TASK_REQUEST and peer:
            self.attendance.asks(str(peer.get_identity_name()))
        if event_type == EventType.CLIENT_DISCONNECTED:
            self._disconnected(str(fl_ctx.get_prop(FLContextKey.DISCONNECTED_CLIENT_NAME)), fl_ctx)

    def _disconnected(self, site: str, fl_ctx: FLContext) -> None:
        """No phase waits for the site. If the phase cannot have enough answers, stops before FLARE does, which names no
        site."""
        due = self.attendance.gone(site)
        alive = [one for one in self.sites() if not self.communicator.get_client_disconnect_time(one)]
        if due and len(alive) < self._min_clients:
            rule = f"run must have {self._min_clients} connected sites (min_clients), got {len(alive)}"
            self.stop(BelowQuorum(f"{rule}: the connection to site {site} is lost. {self.how_to_continue}"), fl_ctx)

    @abstractmethod
    def stop(self, error: Exception, fl_ctx: FLContext) -> None:
        """Ends the job with the error's text."""
