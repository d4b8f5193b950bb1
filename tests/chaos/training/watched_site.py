"""A site of a running federation as somebody sees it who looks at its log and its processes from outside."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil

CHILD = "fedaid.flare.site.work.serve_work"
SECONDS = 300.0  # that anything may take on a busy machine


class WatchedSite:
    """One site in one job.

    Args:
        kit: of the site.
        job_id: of the job.
        generations: the folder of the run at the server.
    """

    def __init__(self, kit: Path, job_id: str, generations: Path) -> None:
        self.run, self._generations = kit / job_id, generations
        self._log, self._seen = self.run / "log.txt", 0

    def wait(self, *parts: str) -> None:
        """Waits for the next line of the site's log that holds all these parts."""
        until(lambda: self._found(parts))

    def _found(self, parts: tuple[str, ...]) -> bool:
        text = self._log.read_text() if self._log.exists() else ""
        while (end := text.find("\n", self._seen)) >= 0:
            line, self._seen = text[self._seen : end], end + 1
            if all(part in line for part in parts):
                return True
        return False

    @property
    def job(self) -> psutil.Process:
        """The process of the job at this site."""
        return self.child.parent()

    @property
    def child(self) -> psutil.Process:
        """The process that trains; it has the run's folder open for what it prints."""
        found: list[psutil.Process] = []
        until(lambda: bool(found.extend(self._children()) or found))
        return found[0]

    def _children(self) -> list[psutil.Process]:
        return [process for process in psutil.process_iter() if is_child_of(process, self.run)]

    def answer_is_written(self) -> bool:
        """Whether the process that trains has begun to write the arrays of an answer."""
        return any(self.run.glob("fedaid_training_*/found.safetensors"))

    def seconds_to_commit(self) -> float:
        """Waits for the next committed round, and returns how long that took."""
        newest = lambda: max((path.name for path in self._generations.glob("round-*")), default="")  # noqa: E731
        before, start = newest(), time.monotonic()
        until(lambda: newest() > before)
        return time.monotonic() - start


def is_child_of(process: psutil.Process, run: Path) -> bool:
    """Whether this is the process that trains for the job with this folder."""
    try:
        ours = CHILD in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE
        return ours and Path(f"/proc/{process.pid}/fd/2").resolve().parent == run.resolve()
    except (psutil.Error, OSError):
        return False


def until(holds: Callable[[], bool]) -> None:
    """Waits until something holds."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("what was waited for has not happened")
        time.sleep(0.005)
