"""What FLARE's streams leave behind them.

A message and the future of its sending refer to each other, so that it stays in memory until Python looks for such
cycles. It does that by the number of objects: after some thousand messages, of a MiB each.
"""

from __future__ import annotations

import gc
from threading import Lock


class StreamGarbage:
    """Looks for cycles each time so much was sent or received.

    Args:
        every: bytes.
    """

    def __init__(self, every: int) -> None:
        self._every, self._since, self._lock = every, 0, Lock()

    def note(self, size: int) -> None:
        """Takes note of bytes that came or went, by any thread."""
        with self._lock:
            self._since += size
            due = self._since >= self._every
            self._since = 0 if due else self._since
        if due:
            gc.collect()
