"""One decode process, as its parent sees it: start it, send requests, read answers, notice that it is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path

from fedaid.data.header.facts import header_from
from fedaid.data.letters.letters import OFF, Letters, letters_from
from fedaid.data.pixels.decode_worker import READY
from fedaid.data.unusable import REMEDIES

COMMAND = (sys.executable, "-P", "-m", "fedaid.data.pixels.decode_worker")
START_SECONDS = 120.0
LONGEST_ANSWER = 1 << 16
_PACKAGES = str(Path(__file__).resolve().parents[3])


@dataclass(frozen=True)
class Limits:
    """The limits of one file.

    Attributes:
        seconds: after which the process is ended.
        memory: bytes that the process may use in addition to those at its start.
    """

    seconds: float = 120.0
    memory: int = 4 << 30


@dataclass(frozen=True)
class Request:
    """A file to decode into a row of the pixels, to search for letters, or both; otherwise only its header is read.

    Attributes:
        key: of the caller; the answer has the same.
        path: of the image.
        row: of the pixels.
        letters: how to look for letters in the full picture, one of :data:`fedaid.data.letters.letters.WAYS`.
    """

    key: int
    path: Path = field(repr=False)
    row: int | None = None
    letters: str = OFF


@dataclass(frozen=True)
class Answer:
    """The result of a request.

    Attributes:
        key: of the request.
        reason: None, or the code of :mod:`fedaid.data.unusable` for a file that cannot be used.
        tags: identifiers and the kind by their names in :class:`fedaid.data.header.study_tags.StudyTags`; empty for a
            request with a row.
        header: fields of a :class:`fedaid.data.header.facts.Header` as JSON, for
            :func:`fedaid.data.header.facts.header_from`; empty for a PNG or JPEG, and for a request with a row.
        letters: what was seen of letters in the full picture; None if nobody looked.
    """

    key: int
    reason: str | None
    tags: Mapping[str, str] = field(default_factory=dict, repr=False)
    header: Mapping[str, object] = field(default_factory=dict, repr=False)
    letters: Letters | None = None


class Lost(Exception):
    """The process ended, or sent something invalid."""


class DecodeProcess:
    """A running decode process, with at most one request at a time.

    Args:
        pixels: the .npy file whose rows it writes, or None.
        limits: of one file.
        command: starts the process.
    """

    def __init__(self, pixels: Path | None, limits: Limits, *, command: Sequence[str] = COMMAND) -> None:
        path = os.pathsep.join(filter(None, [_PACKAGES, os.environ.get("PYTHONPATH")]))
        threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, no shell
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | threads | {"PYTHONPATH": path},
            bufsize=0,
        )
        settings = {"pixels": pixels and str(pixels), "memory": limits.memory, "seconds": limits.seconds + 5}
        self._limits, self._heard, self._ready = limits, b"", False
        self.request: Request | None = None
        self.deadline = 0.0
        with suppress(Lost):  # the first request reports that it did not start
            self._say(settings)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def fileno(self) -> int:
        """The descriptor that is readable when there is an answer."""
        if self._process.stdout is None:
            raise Lost
        return self._process.stdout.fileno()

    def ask(self, request: Request) -> None:
        """Send a request.

        Raises:
            Lost: if the process ended before it took the request.
            RuntimeError: if the process did not start; no file is at fault.
        """
        self._await_start()
        self._say({"path": str(request.path), "row": request.row, "letters": request.letters})
        self.request, self.deadline = request, time.monotonic() + self._limits.seconds

    def hear(self) -> Answer | None:
        """Return the answer, or None while it is incomplete; call it when :meth:`fileno` is readable.

        Raises:
            Lost: if the process ended or its answer is invalid.
        """
        line = self._line()
        if line is None or self.request is None:
            return None
        answer, self.request = _checked(line, self.request.key), None
        return answer

    def end(self) -> None:
        """End the process by force."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _await_start(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._ready:
            readable = wait([self.fileno()], max(0.0, deadline - time.monotonic()))
            try:
                self._ready = bool(readable) and self._line() == READY
            except Lost:
                readable = []
            if not readable:
                raise RuntimeError("a process that decodes images could not be started")

    def _say(self, message: object) -> None:
        if self._process.stdin is None:
            raise Lost
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
        except OSError:
            raise Lost from None

    def _line(self) -> bytes | None:
        """The next line, None while it is incomplete."""
        heard = os.read(self.fileno(), LONGEST_ANSWER)
        self._heard += heard
        if not heard or len(self._heard) > LONGEST_ANSWER:
            raise Lost
        if not self._heard.endswith(b"\n"):
            return None
        line, self._heard = self._heard, b""
        return line


def _checked(line: bytes, key: int) -> Answer:
    """The answer on a line. It is checked, because a process that has read a hostile file cannot be trusted."""
    try:
        answer = json.loads(line)
        reason, tags, header = answer["reason"], answer["tags"], answer["header"]
        header_from(header)
        letters = letters_from(answer.get("letters"))
        sound = (reason is None or reason in REMEDIES) and all(isinstance(text, str) for text in tags.values())
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        sound = False
    if not sound:
        raise Lost
    return Answer(key, reason, tags, header, letters)
