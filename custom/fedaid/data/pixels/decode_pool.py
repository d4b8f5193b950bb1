"""A few long-lived processes that decode image files, so that a damaged or hostile file costs that file only.

The processes are started, not forked: a site's process has many threads, and a forked child would inherit their locks.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from multiprocessing.connection import wait
from pathlib import Path
from types import TracebackType
from typing import Self

from fedaid.data.pixels.decode_process import COMMAND, Answer, DecodeProcess, Limits, Lost, Request

WORKERS = min(2, os.cpu_count() or 1)
FILES = 50  # that justify another process: its start takes the processor time of about fifty small images, 0.4 s
PATIENCE = 0.5  # seconds between two calls of the check
Check = Callable[[], object]


def keep_going() -> None:
    """A check that never interrupts."""


class DecodePool:
    """Decodes files in processes that run from the first request to the end of the ``with`` block.

    Args:
        pixels: a float16 .npy file (N, S, S), whose rows the images are written to. It must exist before the first
            request with a row, and may grow. None to read headers only.
        workers: largest number of processes. Another one starts when there are enough files to justify it.
        limits: of one file.
        command: starts one process; tests use another.
        check: called at least every half second; if it raises, the work ends.
    """

    def __init__(
        self,
        pixels: Path | None,
        *,
        workers: int = WORKERS,
        limits: Limits | None = None,
        command: Sequence[str] = COMMAND,
        check: Check = keep_going,
    ) -> None:
        self._pixels, self._limits, self._command = pixels, limits or Limits(), tuple(command)
        self._workers, self._check = workers, check
        self.processes: list[DecodeProcess] = []
        self._handed_over = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for process in self.processes:
            process.end()

    def run(self, requests: Iterable[Request]) -> Iterator[Answer]:
        """The answers to all requests, each as soon as it arrives; a lost process is replaced.

        Raises:
            RuntimeError: if no process can be started.
        """
        waiting = iter(requests)
        request = next(waiting, None)
        while True:
            self._check()
            if request is not None and len(self.processes) < min(self._workers, 1 + self._handed_over // FILES):
                self.processes.append(self._start())
            for number, process in enumerate(self.processes):
                if request is not None and process.request is None:
                    self._hand_over(number, request)
                    request = next(waiting, None)
            busy = [number for number, process in enumerate(self.processes) if process.request is not None]
            if not busy:
                return
            yield from self._answers(busy)

    def _answers(self, busy: list[int]) -> Iterator[Answer]:
        """The answers that arrive before the next deadline or check."""
        nearest = min(self.processes[number].deadline for number in busy)
        sources = [self.processes[number].fileno() for number in busy]
        readable = set(wait(sources, min(PATIENCE, max(0.0, nearest - time.monotonic()))))
        for number, source in zip(busy, sources, strict=True):
            process = self.processes[number]
            request = process.request
            try:
                answer = process.hear() if source in readable else None
            except Lost:
                answer = self._given_up(number, "image-crash")
            if answer is None and request is not None and time.monotonic() > process.deadline:
                answer = self._given_up(number, "image-timeout")
            if answer is not None:
                yield answer

    def _hand_over(self, number: int, request: Request) -> None:
        """Send a request to a process; replace a process that was lost while idle, which is no file's fault."""
        self._handed_over += 1
        try:
            self.processes[number].ask(request)
        except Lost:
            self._replace(number)
            self.processes[number].ask(request)

    def _given_up(self, number: int, reason: str) -> Answer | None:
        """The answer for the file of a process that crashed or took too long; the process is replaced."""
        request = self.processes[number].request
        self._replace(number)
        return None if request is None else Answer(request.key, reason)

    def _replace(self, number: int) -> None:
        self.processes[number].end()
        self.processes[number] = self._start()

    def _start(self) -> DecodeProcess:
        return DecodeProcess(self._pixels, self._limits, command=self._command)
