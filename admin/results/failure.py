"""Why a run stopped, out of the log that it left."""

from __future__ import annotations

from pathlib import Path

PANIC = "FATAL_SYSTEM_ERROR received: "  # FLARE's line
REFUSAL = "InputError: "


def failure_reason(log: Path) -> str:
    """The one line that says why a run was stopped, as our code worded it; empty if the log has none.

    The first panic is the cause, later ones follow from it; without one it is the last refused setting.

    Args:
        log: the server's log of a job, or the simulator's console.
    """
    if not log.is_file():
        return ""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    panics = [line.partition(PANIC)[2] for line in lines if PANIC in line]
    refusals = [refusal(line) for line in lines if REFUSAL in line]
    return (panics[:1] or refusals[-1:] or [""])[0].strip()


def refusal(line: str) -> str:
    """The text of a refused setting; where FLARE quotes an exception, without the closing quote."""
    before, _, text = line.partition(REFUSAL)
    return text.rstrip().removesuffix("'") if before.endswith("'") else text
