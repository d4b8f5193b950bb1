"""Let SIGTERM unwind the stack, so that what a ``with`` block started is ended."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def sigterm_leaves() -> Iterator[None]:
    """Let SIGTERM leave the ``with`` block as Ctrl-C does; outside the main thread nothing can be set, nothing is."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    try:
        former = signal.signal(signal.SIGTERM, leave)
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)
