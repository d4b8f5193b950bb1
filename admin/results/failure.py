"""Finds in a log why a run stopped."""

from __future__ import annotations

from pathlib import Path

PANIC = "FATAL_SYSTEM_ERROR received: "  # FLARE's line
REFUSAL = "InputError: "


def failure_reason(log: Path) -> str:
    """Return the message of the error that stopped a run; empty if the log has none.

    The first panic is the cause; later ones follow from it. Without a panic it is the last refused setting.

    Args:
        log: the server's log of a job, or the console output of the simulator.
    """
    if not log.is_file():
        return ""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    panics = [line.partition(PANIC)[2] for line in lines if PANIC in line]
    refusals = [refusal(line) for line in lines if REFUSAL in line]
    return (panics[:1] or refusals[-1:] or [""])[0].strip()


def refusal(line: str) -> str:
    """Return the message of a refused setting, without the closing quote if FLARE quotes the exception."""
    before, _, text = line.partition(REFUSAL)
    return text.rstrip().removesuffix("'") if before.endswith("'") else text
