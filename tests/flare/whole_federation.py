"""A server and its sites with all our components and filters, in one process; a job can be killed and continued."""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from nvflare.apis.event_type import EventType
from nvflare.apis.fl_constant import FLContextKey, ReservedKey, ReturnCode
from nvflare.apis.fl_context import FLContext, FLContextManager
from nvflare.apis.shareable import ReservedHeaderKey, Shareable
from nvflare.apis.signal import Signal

from fedaid.flare.site.executor import FedAIDExecutor
from fedaid.flare.site.work.own_work import IMAGE_CACHE
from fedaid.flare.wire.downlink import ModelDecoder, ModelEncoder
from fedaid.flare.wire.replies import error_reply
from fedaid.flare.wire.tasks import VALIDATE
from fedaid.flare.wire.uplink import UpdateDecoder, UpdateEncoder
from fedaid.training.settings import TrainingSettings
from tests.flare.conftest import Engine, Federation

OF_RUN = ("best", "last", "best_round", "history", "pairs", "site_weights", "skipped", "round", "state_lost")
TASKS = count()


class Killed(BaseException):
    """The process is gone."""


class SiteProcess:
    """One site's process: filter, executor, filter; its folders stay when it ends."""

    def __init__(self, name: str, kit: Path, job: str, settings: TrainingSettings, *, cache: Path) -> None:
        self.name, self._job = name, job
        self.executor, self.decoder, self.encoder = FedAIDExecutor(**asdict(settings)), ModelDecoder(), UpdateEncoder()
        if not (kit / IMAGE_CACHE).exists():
            shutil.copytree(cache, kit / IMAGE_CACHE)
        (kit / job).mkdir(parents=True)
        self._workspace = SimpleNamespace(
            get_root_dir=lambda: str(kit),
            get_site_config_dir=lambda: str(kit / "local"),
            get_run_dir=lambda job: str(kit / job),
        )

    def answer(self, task: str, message: Shareable) -> Shareable:
        """What FLARE's client does with a task."""
        engine = Engine([], {}, self._workspace)
        context = FLContextManager(engine=engine, identity_name=self.name, job_id=self._job).new_context()
        context.set_prop(FLContextKey.TASK_NAME, task, private=True, sticky=False)
        wired = task != VALIDATE
        given = self.decoder.process(copy.copy(message), context) if wired else message
        reply = self.executor.execute(task, given, context, Signal())
        return self.encoder.process(reply, context) if wired else reply

    def sent(self) -> None:
        """The server has the answer; the site works ahead."""
        engine = Engine([], {}, self._workspace)
        context = FLContextManager(engine=engine, identity_name=self.name, job_id=self._job).new_context()
        self.executor.handle_event(EventType.AFTER_SEND_TASK_RESULT, context)


class WholeJob(Federation):
    """One job of a run.

    Args:
        folder: of the job.
        kits: folder of the kits, which outlive the job.
        sites: site → its cached images.
        wire_dtype: of the two encoders.
        training: settings of the sites.
    """

    def __init__(
        self,
        folder: Path,
        model: dict[str, Any],
        *,
        kits: Path,
        sites: Mapping[str, Path],
        wire_dtype: str,
        training: TrainingSettings,
        **settings: Any,
    ) -> None:
        (folder / "config").mkdir(parents=True)
        self.processes = {
            site: SiteProcess(site, kits / site, folder.name, training, cache=cache) for site, cache in sites.items()
        }
        answers: dict[str, Any] = {site: self.through_filters(process) for site, process in self.processes.items()}
        super().__init__(folder, model, answers, kit=kits / "server", **settings)
        self.encoder, self.decoder = ModelEncoder(wire_dtype), UpdateDecoder()
        self.engine.components["encoder"] = self.encoder
        self.kill_at: tuple[str, int, str, str] | None = None  # task, round, site, "asked", "answered" or "sent"
        self.lost: set[tuple[str, int, str]] = set()  # task, round, site: the first answer does not arrive

    def through_filters(self, process: SiteProcess) -> Any:
        def answer(task: str, data: Shareable) -> Shareable:
            if data.get_header(ReservedHeaderKey.MSG_ROOT_ID) is None:
                data.set_header(ReservedHeaderKey.MSG_ROOT_ID, f"task-{next(TASKS)}")
            context = self.context(process.name)
            self._maybe_kill(task, process.name, "asked")
            wired = task != VALIDATE
            message = self.encoder.process(copy.copy(data), context) if wired else data
            reply = process.answer(task, message)
            self._maybe_kill(task, process.name, "answered")
            if (lost := (task, self.controller._current_round, process.name)) in self.lost:
                self.lost.discard(lost)
                reply, wired = error_reply(ReturnCode.EXECUTION_EXCEPTION, "the answer did not arrive"), False
            context.set_prop(FLContextKey.TASK_RESULT, reply, private=True, sticky=False)
            self.encoder.handle_event(EventType.BEFORE_TASK_RESULT_FILTER, context)
            decoded: Shareable = self.decoder.process(reply, context) if wired else reply
            process.sent()
            self._maybe_kill(task, process.name, "sent")
            return decoded

        return answer

    def _maybe_kill(self, task: str, site: str, when: str) -> None:
        if self.kill_at == (task, self.controller._current_round, site, when):
            raise Killed

    def context(self, site: str) -> FLContext:
        """A context of the server for a message of a site."""
        peer = FLContext()
        peer.set_prop(ReservedKey.IDENTITY_NAME, site, private=False)
        context = self.communicator.contexts.new_context()
        context.set_peer_context(peer)
        return context

    def run_until_killed(self) -> None:
        """Runs the job until it is killed; then nothing more is done, but the kernel frees the lock."""
        try:
            self.start()
            self.controller.control_flow(self.engine.abort_signal, self.fl_ctx)
        except Killed:
            self.controller._lock.release()
            return
        raise AssertionError("the job was not killed")

    def ended(self) -> tuple[dict[str, Any], str]:
        """What the run ended with: its results, and one hash of all its tensors."""
        assert self.engine.panics == []
        results = json.loads((self.store / "results.json").read_text())
        digest = hashlib.sha256()
        for file in sorted(self.store.glob("*/*.safetensors")):
            digest.update(f"{file.parent.name}/{file.name}".encode() + file.read_bytes())
        return {name: results[name] for name in OF_RUN}, digest.hexdigest()
