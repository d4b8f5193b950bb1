"""Why a run stopped, out of the log that it left."""

from __future__ import annotations

from pathlib import Path

MARKS = ("FATAL_SYSTEM_ERROR received: ", "InputError: ")  # FLARE's line for a panic, and a refused setting


def failure_reason(log: Path) -> str:
    """The one line that says why a run was stopped, as our code worded it; empty if the log has none.

    Args:
        log: the server's log of a job, or the simulator's console.
    """
    if not log.is_file():
        return ""
    for line in reversed(log.read_text(encoding="utf-8", errors="replace").splitlines()):
        for mark in MARKS:
            if mark in line:
                return line.partition(mark)[2].strip()
    return ""
