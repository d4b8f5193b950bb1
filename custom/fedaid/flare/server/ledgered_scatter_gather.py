"""A controller that writes what it accepts and refuses to the run's ledger, and why it stops to the job's folder."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from nvflare.apis.client import Client
from nvflare.apis.controller_spec import Task
from nvflare.apis.fl_constant import FLContextKey, ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable

from fedaid.flare.answers.asking_scatter_gather import Asked, Receive
from fedaid.flare.server.ballot import Ballot, Splits
from fedaid.flare.server.gate import Gate, RefusedAnswer
from fedaid.flare.server.run_settings import RunSettings
from fedaid.flare.software.checked_scatter_gather import CheckedScatterAndGather
from fedaid.flare.store.run_ledger import RunLedger
from fedaid.flare.store.stop_note import stop_note, write_stop
from fedaid.flare.wire.replies import is_invalid, was_refused
from fedaid.flare.wire.tasks import Arrays


class LedgeredScatterAndGather(CheckedScatterAndGather):
    """Adds one line to the ledger for each event of the base class.

    Args:
        settings: what the job sets.
        task_name: the task of FLARE's own loop.

    Attributes:
        ledger: without a file until the run is open.
    """

    def __init__(self, settings: RunSettings, *, task_name: str) -> None:
        super().__init__(settings, task_name=task_name)
        self.ledger = RunLedger()
        self._invalid: dict[str, str] = {}  # site → its last error, if a person must mend something there

    def gate(self, phase: str, template: Arrays, **rules: Any) -> Gate:
        """Enters a phase of the current round and returns its gate."""
        self.ledger.opened(phase, self._current_round, rules["sites"])
        return super().gate(phase, template, **rules)

    def collect_metrics(self, task: Task, ballot: Ballot, fl_ctx: FLContext) -> dict[str, Splits]:
        """Sends ``task`` to the sites of the ballot and returns their metrics by site name."""
        self.ledger.opened(task.name, self._current_round, ballot.sites)
        return super().collect_metrics(task, ballot, fl_ctx)

    def try_again(self, sites: list[str], task: Task, fl_ctx: FLContext, *, receive: Receive, least: int) -> None:
        """Asks the sites that are missing once more; the gate stays open."""
        self.ledger.retried(sites)
        super().try_again(sites, task, fl_ctx, receive=receive, least=least)

    def settle(self, asked: Asked, phase: str) -> None:
        """Ends the phase in the ledger before the accepted answers are counted."""
        self.ledger.closed(asked.accepted(), asked.refused())
        super().settle(asked, phase)

    def taken_by(self, take: Callable[[str, Shareable], None]) -> Receive:
        """Receives a reply, and notes whether ``take`` accepted it."""

        def noted(site: str, answer: Shareable) -> None:
            try:
                take(site, answer)
            except RefusedAnswer as refusal:
                self.ledger.refused(site, str(refusal))
                raise
            self.ledger.accepted(site)

        return super().taken_by(noted)

    def _accept_train_result(
        self, client_name: str, result: Shareable, fl_ctx: FLContext, is_unknown_task: bool = False
    ) -> bool:
        accepted = super()._accept_train_result(client_name, result, fl_ctx, is_unknown_task)
        if accepted:
            self.ledger.accepted(client_name)
        elif was_refused(result) or result.get_return_code() == ReturnCode.OK:  # errors are noted below
            self.ledger.refused(client_name, self.aggregator.refused.get(client_name, ""))
        return accepted

    def _failed(self, site: str, reply: Shareable, fl_ctx: FLContext) -> bool:
        failed = super()._failed(site, reply, fl_ctx)
        self._invalid.pop(site, None)
        if failed:
            said = self.attendance.said_of([site])
            self.ledger.refused(site, said)
            self._invalid |= {site: said} if is_invalid(reply) else {}
        return failed

    def unreadable(self, site: str, text: str, fl_ctx: FLContext) -> None:
        """Refuses an answer that a receiver could not handle."""
        self.ledger.refused(site, text)
        super().unreadable(site, text, fl_ctx)

    def process_result_of_unknown_task(
        self, client: Client, task_name: str, client_task_id: str, result: Shareable, fl_ctx: FLContext
    ) -> None:
        """Refuses a late result."""
        self.ledger.refused(client.name, "late result", phase=task_name)
        super().process_result_of_unknown_task(client, task_name, client_task_id, result, fl_ctx)

    def stop(self, error: Exception, fl_ctx: FLContext) -> None:
        """Ends the job with the error's text, unless a person has aborted it."""
        if not self._abort.triggered:
            self.ledger.stopped(error)
            self._note_stop(error, fl_ctx)
        super().stop(error, fl_ctx)

    def _note_stop(self, error: Exception, fl_ctx: FLContext) -> None:
        """Writes ``stop.json``; on a full disk the log still has the reason."""
        note = stop_note(error, invalid=self._invalid, spare=len(self.sites()) - self._min_clients)
        with suppress(OSError):
            write_stop(Path(str(fl_ctx.get_prop(FLContextKey.APP_ROOT))), note)
