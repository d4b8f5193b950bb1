"""A federation in one process in which one site sends a false update, whenever it arrives."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from nvflare.apis.client import Client
from nvflare.apis.controller_spec import ClientTask, Task
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable

from fedaid.flare.answers.attendance import Attendance
from fedaid.flare.store.hash_chain import lines_of
from fedaid.flare.store.run_ledger import COMMIT, LEDGER, REFUSE, WITHDRAW
from fedaid.flare.wire.uplink import UpdateDecoder
from tests.chaos.messages.false_update import (
    CULPRIT,
    FROM_STRANGER,
    HONEST,
    INSTEAD,
    LATE,
    LATE_AS_ANSWER,
    SECOND,
    STRANGER,
    FalseUpdate,
)
from tests.conftest import tiny_model_options
from tests.flare.conftest import Answer, Communicator, Federation, configured, honest_site, initial_tensors

LOSSES = {"site-a": 1.0, "site-b": 2.0, CULPRIT: 3.0}
SETTINGS = {"min_clients": 2, "num_rounds": 1, "run_name": "chaos", "attempt": 2}


class Post(Communicator):
    """Delivers what the sites answer, and besides the false update, if it does not come in place of an answer."""

    def __init__(self, answers: Mapping[str, Answer], server: Federation, *, phase: str, false: FalseUpdate) -> None:
        super().__init__(answers, server.communicator.contexts)
        self._server, self._phase, self._false = server, phase, false
        self.late: Shareable | None = None

    def broadcast_and_wait(self, task: Task, fl_ctx: FLContext, *args: Any, **waiting: Any) -> None:
        receive = task.result_received_cb

        def deliver(client_task: ClientTask, fl_ctx: FLContext) -> None:
            reply = client_task.result
            receive(client_task=client_task, fl_ctx=fl_ctx)
            for sender, message in self._besides(task.name, client_task.client.name, reply):
                other = ClientTask(Client(sender, "token"), task)
                other.result = message
                receive(client_task=other, fl_ctx=self.contexts.new_context())

        task.result_received_cb = deliver
        super().broadcast_and_wait(task, fl_ctx, *args, **waiting)

    def _besides(self, task: str, site: str, reply: Shareable) -> Iterator[tuple[str, Shareable]]:
        """What else arrives after the answer of a site."""
        if task == self._phase and site == CULPRIT and self._false.arrives in (SECOND, FROM_STRANGER):
            yield CULPRIT if self._false.arrives == SECOND else STRANGER, self._false.of(reply)
        if task != self._phase and self.late is not None:
            late, self.late = self.late, None
            if self._false.arrives == LATE_AS_ANSWER:
                yield CULPRIT, late
            else:
                client, context = Client(CULPRIT, "token"), self.contexts.new_context()
                self._server.controller.process_result_of_unknown_task(client, self._phase, "id", late, context)


class Alive(Attendance):
    """All sites are alive: each asks for its next task after a phase that it missed, as FLARE's clients do."""

    def over(self) -> list[str]:
        fallen = super().over()
        for site in fallen:
            self.asks(site)
        return fallen


class Postbox:
    """Makes federations of three sites, of which one sends a false update or nothing in one phase.

    Args:
        folder: for their files.
        settings: of the controller.
    """

    def __init__(self, folder: Path, **settings: Any) -> None:
        options = tiny_model_options()
        self._settings = SETTINGS | settings
        self._folder, self._numbers = folder, itertools.count()
        self._model, self._theta = configured(options), initial_tensors(options)

    def run(self, phase: str, order: tuple[str, ...], false: FalseUpdate | None) -> Federation:
        """A finished run; without a false update the culprit does not answer in the phase."""
        folder = self._folder / f"job-{next(self._numbers)}"
        folder.mkdir()
        sites = {site: honest_site(self._theta, site, LOSSES[site]) for site in order}
        made = Federation(folder, self._model, sites, **self._settings)
        if false is None:
            sites[CULPRIT] = partial(silent_in, phase, sites[CULPRIT])
            false = FalseUpdate("none", "none")
        post = Post(sites, made, phase=phase, false=false)
        if false.arrives in (INSTEAD, LATE, LATE_AS_ANSWER) and false.kind != "none":
            sites[CULPRIT] = partial(lying_in, phase, sites[CULPRIT], post, false)
        made.communicator = post
        post.answers = {site: partial(through_filter, made, site, sites[site]) for site in order}
        made.controller.set_communicator(post)
        made.controller.attendance = Alive()
        made.run()
        return made

    def all_answer(self, phase: str) -> Federation:
        """A run in which every site sends a sound update."""
        return self.run(phase, (*HONEST, CULPRIT), FalseUpdate("sound", "sound", arrives="never"))


def silent_in(phase: str, answer: Answer, task: str, message: Shareable) -> Shareable | None:
    """A site that does not answer in one phase."""
    return None if task == phase else answer(task, message)


def lying_in(
    phase: str, answer: Answer, post: Post, false: FalseUpdate, task: str, message: Shareable
) -> Shareable | None:
    """A site whose answer in one phase is false, or late."""
    reply = answer(task, message)
    if task != phase or reply is None:
        return reply
    if false.arrives == INSTEAD:
        return false.of(reply)
    post.late = false.of(reply)
    return None


def through_filter(made: Federation, site: str, answer: Answer, task: str, message: Shareable) -> Shareable | None:
    """The answer after the server's filter."""
    reply = answer(task, message)
    return None if reply is None else UpdateDecoder().process(reply, made.communicator.contexts.new_context())


def ended(made: Federation) -> str:
    """One hash of what a run ended with: models, site weights, and what moved them. An error of the job is text."""
    if made.engine.panics:
        return f"the job stopped: {made.engine.panics[0]}"
    results = json.loads((made.store / "results.json").read_text())
    told = [{key: entry[key] for key in ("site_weights", "valid", "train", "norms")} for entry in results["history"]]
    digest = hashlib.sha256(json.dumps([told, results["best"], results["last"]], sort_keys=True).encode())
    for file in sorted(made.store.glob("*/*.safetensors")):
        digest.update(f"{file.parent.name}/{file.name}".encode() + file.read_bytes())
    return digest.hexdigest()


def refused_sites(made: Federation) -> list[str]:
    """The sites of all refusals in the ledger, also of those at the end of a phase."""
    refusals = (REFUSE, WITHDRAW)
    return [str(line["site"]) for line in lines_of(made.run_store / LEDGER) if line["kind"] in refusals]


def commits(made: Federation) -> int:
    """The number of rounds that the ledger says were committed."""
    return sum(line["kind"] == COMMIT for line in lines_of(made.run_store / LEDGER))
