"""A few long-lived processes that decode image files, so that a hostile file costs one file and no more.

They are started, never forked: a site's process has many threads, whose locks a forked child would inherit.
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
FILES = 50  # that pay for a process: its start takes 0.4 s of processor time, as much as some fifty small pictures
PATIENCE = 0.5  # seconds between two checks whether to go on
Check = Callable[[], object]


def keep_going() -> None:
    """The check of work that nobody may interrupt."""


class DecodePool:
    """Decodes files in processes of its own, which run from the first request to the end of the ``with`` block.

    Args:
        pixels: a float16 .npy file (N, S, S) into whose rows the pictures go, there before the first request with a row
            and free to grow; None to read headers only.
        workers: how many processes at most. The next one starts when the files handed over pay for it.
        limits: what one file may cost.
        command: starts one process; tests give another.
        check: called at least every half second; what it raises ends the work.
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
        """The answers to all requests, each as soon as it is there; a lost process is replaced.

        Raises:
            RuntimeError: if a process cannot be started at all.
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
        """What comes in until the next deadline or check."""
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
        """Ask a process; one that was lost while idle is replaced first, and the file is not blamed."""
        self._handed_over += 1
        try:
            self.processes[number].ask(request)
        except Lost:
            self._replace(number)
            self.processes[number].ask(request)

    def _given_up(self, number: int, reason: str) -> Answer | None:
        """The answer on behalf of a process that has none, which is replaced."""
        request = self.processes[number].request
        self._replace(number)
        return None if request is None else Answer(request.key, reason)

    def _replace(self, number: int) -> None:
        self.processes[number].end()
        self.processes[number] = self._start()

    def _start(self) -> DecodeProcess:
        return DecodeProcess(self._pixels, self._limits, command=self._command)
