"""A controller that checks what software its sites run before it sends them a task."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from nvflare.apis.controller_spec import ClientTask, Task, TaskCompletionStatus
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import FLContextKey
from nvflare.apis.fl_context import FLContext

from fedaid.flare.answers.asking_scatter_gather import Receive
from fedaid.flare.server.gated_scatter_gather import Found, GatedScatterAndGather
from fedaid.flare.server.run_settings import RunSettings
from fedaid.flare.software.site_software import SiteSoftware
from fedaid.flare.software.software_report import PROPERTY

PATIENCE = 3.0  # seconds for the other sites to report, so that one message names all sites with other code
PAUSE = 0.1


class CheckedScatterAndGather(GatedScatterAndGather):
    """Ends the job before a site with other code gets a task; names sites with other versions.

    Args:
        settings: what the job sets.
        task_name: the task of FLARE's own loop.

    Attributes:
        software: of the server and of the sites that were heard.
    """

    def __init__(self, settings: RunSettings, *, task_name: str) -> None:
        super().__init__(settings, task_name=task_name)
        self.software = SiteSoftware()

    def start_controller(self, fl_ctx: FLContext) -> None:
        """Reads the hash of the code that the job was packaged with."""
        self.software.of_job(fl_ctx.get_prop(FLContextKey.JOB_META))
        super().start_controller(fl_ctx)

    def handle_event(self, event_type: str, fl_ctx: FLContext) -> None:
        """Reads the report that comes with each request for a task."""
        super().handle_event(event_type, fl_ctx)
        peer = fl_ctx.get_peer_context() if event_type == EventType.BEFORE_PROCESS_TASK_REQUEST else None
        if peer and peer.get_identity_name():
            self._note_software(peer.get_identity_name(), fl_ctx)

    def check_sites(self, sites: list[str]) -> None:
        """Refuses a server with other code than the job's."""
        self.software.require_code_of_job()
        super().check_sites(sites)

    def send_to(
        self, sites: list[str], task: Task, fl_ctx: FLContext, *, receive: Receive, least: int | None = None
    ) -> None:
        """Sends a task and hands each reply to ``receive``; no site with other code gets the task.

        Raises:
            InputError: naming the sites with other code.
        """
        prepare = task.before_task_sent_cb

        def admit(client_task: ClientTask, fl_ctx: FLContext) -> None:
            self._note_software(client_task.client.name, fl_ctx)
            if self.software.has_other_code(client_task.client.name):
                task.completion_status = TaskCompletionStatus.ERROR  # FLARE then sends nothing and ends the task
            elif prepare:
                prepare(client_task=client_task, fl_ctx=fl_ctx)

        task.before_task_sent_cb = admit
        super().send_to(sites, task, fl_ctx, receive=receive, least=least)
        if any(map(self.software.has_other_code, self.software.sites)):
            self._hear(sites)
            self.software.require_same_code()

    def conclude(self, measure: Callable[[Found], None], results: Callable[[Found], Found]) -> None:
        """Writes ``results.json``, with the software of all sites."""
        super().conclude(measure, lambda found: results(found) | {"software": self.software.as_dict()})

    def _note_software(self, site: str, fl_ctx: FLContext) -> None:
        """Notes what a site reports; a difference goes to the log and to the person who watches the run."""
        peer: Any = fl_ctx.get_peer_context()
        for line in self.software.note(site, peer.get_prop(PROPERTY) if peer else None):
            self.log_warning(fl_ctx, f"other version: {line}")
        self.progress.notes = self.software.differences

    def _hear(self, sites: list[str]) -> None:
        """Waits a moment for the reports of the other sites."""
        deadline = time.monotonic() + PATIENCE
        while {*sites} - {*self.software.sites} and time.monotonic() < deadline:
            time.sleep(PAUSE)
