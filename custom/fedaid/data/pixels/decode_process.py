"""The parent's end of one decoding process: start it, ask it, hear its answer or learn that it is lost."""

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
from fedaid.data.pixels.decode_worker import READY
from fedaid.data.unusable import REMEDIES

COMMAND = (sys.executable, "-P", "-m", "fedaid.data.pixels.decode_worker")
START_SECONDS = 120.0
LONGEST_ANSWER = 1 << 16
_PACKAGES = str(Path(__file__).resolve().parents[3])


@dataclass(frozen=True)
class Limits:
    """What one file may cost.

    Attributes:
        seconds: until its process is ended.
        memory: bytes that its process may add to what it holds at its start.
    """

    seconds: float = 120.0
    memory: int = 4 << 30


@dataclass(frozen=True)
class Request:
    """A file to decode into a row of the pixels, or, without a row, to read the header of; ``key`` is the caller's.

    Attributes:
        key: comes back with the answer.
        path: of the image.
        row: of the pixels.
    """

    key: int
    path: Path = field(repr=False)
    row: int | None = None


@dataclass(frozen=True)
class Answer:
    """What became of a request.

    Attributes:
        key: of the request.
        reason: None, or why the file cannot be used.
        tags: identifiers by their names in :class:`fedaid.data.header.study_tags.StudyTags`; empty unless asked for.
        header: the fields of a :class:`fedaid.data.header.facts.Header` as JSON, which
            :func:`fedaid.data.header.facts.header_from` takes; empty for a PNG or JPEG, or where none was asked for.
    """

    key: int
    reason: str | None
    tags: Mapping[str, str] = field(default_factory=dict, repr=False)
    header: Mapping[str, object] = field(default_factory=dict, repr=False)


class Lost(Exception):
    """The process ended, or said something that it never says."""


class DecodeProcess:
    """A running decoding process with at most one request at a time.

    Args:
        pixels: the .npy file that it writes rows of, or None.
        limits: of a file.
        command: what to start.
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
        with suppress(Lost):  # whoever asks first learns that it did not start
            self._say(settings)

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def fileno(self) -> int:
        """What to wait on for an answer."""
        if self._process.stdout is None:
            raise Lost
        return self._process.stdout.fileno()

    def ask(self, request: Request) -> None:
        """Send a request.

        Raises:
            Lost: if the process ended before it could take it.
            RuntimeError: if it never came up, which is no file's fault.
        """
        self._await_start()
        self._say({"path": str(request.path), "row": request.row})
        self.request, self.deadline = request, time.monotonic() + self._limits.seconds

    def hear(self) -> Answer | None:
        """Return the answer, or None while it is incomplete; only after :meth:`fileno` is readable.

        Raises:
            Lost: if there will be none.
        """
        line = self._line()
        if line is None or self.request is None:
            return None
        answer, self.request = _checked(line, self.request.key), None
        return answer

    def end(self) -> None:
        """End the process, whatever it does."""
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
    """The answer on a line; what has read a hostile file is not believed more than it must be."""
    try:
        answer = json.loads(line)
        reason, tags, header = answer["reason"], answer["tags"], answer["header"]
        header_from(header)
        sound = (reason is None or reason in REMEDIES) and all(isinstance(text, str) for text in tags.values())
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        sound = False
    if not sound:
        raise Lost
    return Answer(key, reason, tags, header)
