"""How a verb answers: results go to standard output, as text when they come or as one JSON envelope at the end."""

from __future__ import annotations

import json
import os
import sys

OK, FAILED, CANNOT_CONNECT, TIMED_OUT, ABORTED, INTERRUPTED = 0, 1, 2, 3, 4, 130
SCHEMA_VERSION = "1"


class Answer:
    """The results of one verb.

    Args:
        as_json: whether to print one envelope, in the shape of FLARE's own commands, instead of text.

    Attributes:
        data: the results as plain JSON. What was reached is kept if a later step fails.
        after_interrupt: what Ctrl-C leaves behind, in a few words.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.data: dict[str, object] = {}
        self.after_interrupt = "nothing goes on"
        self._stream = sys.stdout

    def add(self, text: str, /, **data: object) -> None:
        """Print a result as text at once, or keep it for the envelope."""
        self.data |= data
        if not self.as_json:
            self._print(text)

    def live(self, found: dict[str, object]) -> None:
        """Print one JSON object in a line at once, before the envelope; text has another display."""
        if self.as_json:
            self._print(json.dumps(found, default=str))

    def warn(self, problem: str) -> None:
        """Print a warning to standard error."""
        print(f"warning: {problem}", file=sys.stderr, flush=True)

    def note(self, text: str, /, **data: object) -> None:
        """Print what a person should know to standard error, if there is anything; the envelope has ``data``."""
        self.data |= data
        if text:
            print(text, file=sys.stderr, flush=True)

    def close(self, code: int, message: str = "") -> None:
        """Print the envelope, if one is wanted; ``message`` is the error."""
        if not self.as_json:
            return
        status = "ok" if code == OK else "error"
        envelope = {"schema_version": SCHEMA_VERSION, "status": status, "exit_code": code, "data": self.data}
        self._print(json.dumps(envelope | ({"message": message} if message else {}), default=str))

    def _print(self, text: str) -> None:
        """Print a line; a reader that has left, such as ``head``, ends the process without a traceback."""
        try:
            print(text, file=self._stream, flush=True)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
            raise SystemExit(FAILED) from None
