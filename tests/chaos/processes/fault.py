"""A component of a test's job that kills processes of it at a marked instant, once in a run.

``faulty_job.py`` packages it; the product never has it. It imports nothing of the tests.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nvflare.apis.event_type import EventType
from nvflare.apis.fl_component import FLComponent
from nvflare.apis.fl_constant import FLContextKey
from nvflare.apis.fl_context import FLContext
from nvflare.app_common.app_constant import AppConstants
from nvflare.app_common.app_event_type import AppEventType

SERVER = "server"
AT_SERVER = {
    "round start": AppEventType.ROUND_STARTED,
    "first accept": AppEventType.AFTER_CONTRIBUTION_ACCEPT,
    "before aggregation": AppEventType.BEFORE_AGGREGATION,
    "after aggregation": AppEventType.AFTER_AGGREGATION,
    "after the commit": AppEventType.ROUND_DONE,
}
IN_COMMIT = ("in the middle of the file", "before the rename", "after the rename")
AT_SITE = {
    "task received": EventType.BEFORE_TASK_DATA_FILTER,
    "before sending": EventType.BEFORE_SEND_TASK_RESULT,
    "after sending": EventType.AFTER_SEND_TASK_RESULT,
}
INSIDE = ("training", "in the middle of the upload")
STEPS, BLOCKS = 3, 3  # the kill comes at this check for an abort, or at this request for a block of the answer
KILL, STOP, TELL = "kill", "stop", "tell"


class Fault(FLComponent):  # type: ignore[misc]
    """Waits for its instant in the second round, writes the time to ``<folder>/done``, and kills with SIGKILL.

    Each process of the job writes its id to ``<folder>/<name>.pid`` when it starts.

    Args:
        folder: of this run, outside every workspace.
        at_server: whether this is the component of the server's process.
        machine: ``server`` or the name of the site whose process is to end.
        instant: a key of the tables above; empty for none.
        action: ``kill``; ``stop`` for SIGSTOP; or ``tell`` to only write the time, for a test that does the rest.
        also: other processes of the job that are killed a moment before.
        delays: site → seconds that it waits before each task.
    """

    def __init__(
        self,
        folder: str,
        at_server: bool,
        machine: str = "",
        instant: str = "",
        action: str = KILL,
        also: list[str] | None = None,
        delays: dict[str, float] | None = None,
    ) -> None:
        super().__init__()
        self._folder, self._machine, self._instant, self._action = Path(folder), machine, instant, action
        self._also, self._delays = also or [], delays or {}
        self._name, self._task, self._round, self._left = SERVER if at_server else "", "", -1, 0

    def handle_event(self, event_type: str, fl_ctx: FLContext) -> None:
        """Looks whether the instant has come."""
        if event_type == EventType.START_RUN:
            self._start(fl_ctx)
        if self._name == SERVER:
            self._round = int(fl_ctx.get_prop(AppConstants.CURRENT_ROUND, -1))
        elif event_type == EventType.BEFORE_TASK_DATA_FILTER:
            self._task = str(fl_ctx.get_prop(FLContextKey.TASK_NAME))
            data = fl_ctx.get_prop(FLContextKey.TASK_DATA)
            self._round, self._left = int(data.get_header(AppConstants.CURRENT_ROUND, -1)), 0
            time.sleep(self._delays.get(self._name, 0.0))
        if self._mine() and event_type == (AT_SERVER | AT_SITE).get(self._instant):
            self._act()

    def _start(self, fl_ctx: FLContext) -> None:
        self._name = self._name or str(fl_ctx.get_identity_name())
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / f"{self._name}.pid").write_text(str(os.getpid()))
        if self._name == self._machine and self._instant in (*IN_COMMIT, *INSIDE):
            (self._watch_commit if self._name == SERVER else self._watch_work)()

    def _mine(self) -> bool:
        """Whether this process, in this round and in this task, is the one."""
        ours = self._name == self._machine and self._round == 1 and not (self._folder / "done").exists()
        return ours and (self._name == SERVER or self._task == "pretrain")

    def _act(self) -> None:
        done = self._folder / "writing"
        done.write_text(str(time.time()))
        done.replace(self._folder / "done")
        for name in self._also:
            os.kill(int((self._folder / f"{name}.pid").read_text()), signal.SIGKILL)
        if self._action in (KILL, STOP):
            os.kill(os.getpid(), signal.SIGKILL if self._action == KILL else signal.SIGSTOP)

    def _watch_commit(self) -> None:
        """Acts while the model's file is written, or around the rename that gives a committed round its name."""
        from fedaid.flare.server import run_store

        save, rename = run_store.save_model, Path.rename

        def saved(folder: Path, *args: Any, **named: Any) -> None:
            save(folder, *args, **named)
            if self._mine() and self._instant == IN_COMMIT[0] and folder.name.startswith(".round"):
                file = folder / "model.safetensors"
                file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
                self._act()

        def renamed(path: Path, target: Path) -> Path:
            ours = self._mine() and Path(target).name == "round-00002"
            if ours and self._instant == IN_COMMIT[1]:
                self._act()
            new = rename(path, target)
            if ours and self._instant == IN_COMMIT[2]:
                self._act()
            return new

        run_store.save_model = saved
        Path.rename = renamed  # type: ignore[method-assign, assignment]

    def _watch_work(self) -> None:
        """Acts at a step of the training, or at a request for a block of the answer."""
        from fedaid.flare.site import executor
        from fedaid.flare.transport import array_blocks

        def counted(owner: type, name: str, instant: str, last: int) -> None:
            original: Callable[..., Any] = getattr(owner, name)

            def call(*args: Any, **named: Any) -> Any:
                if self._mine() and self._instant == instant:
                    self._left += 1
                    if self._left >= last:
                        self._act()
                return original(*args, **named)

            setattr(owner, name, call)

        counted(executor.Abort, "__call__", INSIDE[0], STEPS)
        counted(array_blocks.ArrayBlocks, "produce", INSIDE[1], BLOCKS)
        array_blocks.BLOCK = 2**13  # small blocks, so that a small model has several
