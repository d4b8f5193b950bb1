"""The process in which a site trains, as the process of its job sees it; without torch and without FLARE.

Requests and answers are JSON lines on two pipes, arrays are files in a private folder. The process is started, not
forked, since the threads of FLARE's process may hold locks. It ends with its input, hence with the process of the job.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import wait
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from numpy.typing import NDArray

from fedaid.flare.site.work.abort import Aborted
from fedaid.flare.site.work.fault import KILLED, OUT_OF_MEMORY, Fault, Faulted
from fedaid.flare.site.work.kernel_kills import kernel_kills
from fedaid.flare.site.work.site_work import Arrays, Check
from fedaid.training.processes.array_file import save_arrays, take_arrays
from fedaid.training.processes.torchrun import python_path

COMMAND = (sys.executable, "-P", "-m", "fedaid.flare.site.work.serve_work")
OUTPUT = "fedaid_training.log"  # in the run's folder: what the process prints; it stays at the site
GIVEN, FOUND = "given.safetensors", "found.safetensors"
PAUSE = 0.2  # seconds between two calls of the check
GRACE = 5.0  # seconds that the process has to end a task after an abort
BLOCK = 1 << 16


class TrainingProcess:
    """A running process, with one request at a time.

    Args:
        run: folder of the run at the site.
        command: starts the process; tests use another.
    """

    def __init__(self, run: Path, *, command: Sequence[str] = COMMAND) -> None:
        self._folder = TemporaryDirectory(prefix="fedaid_training_", dir=run)
        self._kills, self._heard = kernel_kills(), b""
        self._fault: Fault | None = None  # why it ended
        with (run / OUTPUT).open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, no shell
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env=os.environ | {"PYTHONPATH": python_path()},
                bufsize=0,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def ask(
        self, do: str, arrays: Arrays | None = None, *, check: Check, **given: Any
    ) -> tuple[Any, dict[str, NDArray[Any]]]:
        """Sends a request, and returns the value and the arrays of the answer.

        Args:
            do: name of the operation.
            arrays: that it needs.
            check: called several times a second; after it has raised, the process has some seconds to end the task.
            given: other arguments, plain JSON.

        Raises:
            Aborted: if ``check`` raised it.
            Faulted: if the process ended, or told of an error.
        """
        folder = Path(self._folder.name)
        if arrays is not None:
            save_arrays(arrays, folder / GIVEN)
        self._say({"do": do, "given": given, "folder": str(folder), "arrays": arrays is not None})
        answer = self._answer(check)
        if answer.get("aborted"):
            raise Aborted
        if "fault" in answer:
            raise self._told(Fault(**answer["fault"]))
        return answer["value"], take_arrays(folder / FOUND) if answer["arrays"] else {}

    def end(self) -> None:
        """Ends the process by force."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._folder.cleanup()

    def _told(self, fault: Fault) -> Faulted:
        """A fault of a process that goes on, unless it lacked memory: then another one starts with all of it."""
        if fault.reason == OUT_OF_MEMORY:
            self._fault = fault
            self.end()
        return Faulted(fault)

    def _say(self, message: object) -> None:
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")  # type: ignore[union-attr]
        except (OSError, ValueError):  # the second for a pipe that is closed already
            raise self._lost() from None

    def _answer(self, check: Check) -> dict[str, Any]:
        """The answer to the request; until then, what the process logs is logged here."""
        deadline: float | None = None
        while True:
            for line in self._lines():
                said: dict[str, Any] = json.loads(line)
                if "log" not in said:
                    return said
                logging.getLogger(said["log"]).log(said["level"], "%s", said["text"])
            try:
                check()
            except Aborted:
                if deadline is None:
                    self._say({"abort": True})
                    deadline = time.monotonic() + GRACE
                elif time.monotonic() > deadline:
                    self.end()
                    raise

    def _lines(self) -> list[bytes]:
        """The lines that arrive before the next check."""
        stdout = self._process.stdout
        if stdout is None:
            raise self._lost()
        if not wait([stdout.fileno()], PAUSE):
            if not self.alive:  # a process that it has started may keep the pipe open
                raise self._lost()
            return []
        heard = os.read(stdout.fileno(), BLOCK)
        if not heard:
            raise self._lost()
        *lines, self._heard = (self._heard + heard).split(b"\n")
        return lines

    def _lost(self) -> Faulted:
        """How the process ended."""
        if self._fault is None:
            self._fault = self._end_of_process()
            self.end()
        return Faulted(self._fault)

    def _end_of_process(self) -> Fault:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        code, kills = self._process.poll(), kernel_kills()
        if code is None or code >= 0:
            return Fault(f"exit code {code}", reason=KILLED)
        name = f"signal {-code}, {signal.Signals(-code).name}"
        if code == -signal.SIGKILL and kills is not None and self._kills is not None and kills > self._kills:
            return Fault(f"{name} of the kernel", reason=OUT_OF_MEMORY)
        perhaps = ", perhaps out of memory" if code == -signal.SIGKILL else ""
        return Fault(f"{name}{perhaps}", reason=KILLED)
