"""Let SIGTERM unwind the stack, so that a ``with`` block ends what it started."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def sigterm_leaves() -> Iterator[None]:
    """Let SIGTERM leave the ``with`` block as Ctrl-C does. Python allows this in the main thread only."""

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
