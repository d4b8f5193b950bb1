"""Finds in a log why a run stopped."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path

PANIC = "FATAL_SYSTEM_ERROR received: "  # FLARE's line
REFUSAL = "InputError: "
UNBUILT = "FL server execution exception: "  # FLARE's line if it cannot build the components of a job


class AbortedOnPurpose(RuntimeError):
    """A person aborted the job, so no command submits another one by itself."""


def failure_reason(log: Path) -> str:
    """Return the message of the error that stopped a run; empty if the log has none.

    The first panic is the cause; later ones follow from it. Without a panic it is the last refused setting.

    Args:
        log: the server's log of a job, or the console output of the simulator.
    """
    return reason_in(lines_of(log))


def reason_in(lines: list[str]) -> str:
    """Return what :func:`failure_reason` returns, for the lines of a log."""
    refusals = [refusal(line) for line in lines if REFUSAL in line]
    return panic_in(lines) or (refusals or [""])[-1].strip()


def panic_in(lines: list[str]) -> str:
    """Return the message of the first panic in the lines of a log; empty if there is none."""
    return next((message(lines, number) for number, line in enumerate(lines) if PANIC in line), "").strip()


def message(lines: list[str], number: int) -> str:
    """Return the whole message of the panic in a line; our messages of several lines go on with indented ones."""
    more = takewhile(lambda line: line.startswith(" "), lines[number + 1 :])
    return "\n".join([lines[number].partition(PANIC)[2], *more])


def build_failure(log: Path) -> str:
    """Return why the server could not build the components of a job; empty if it could.

    Args:
        log: the server's log of a job.
    """
    found = next((line for line in lines_of(log) if UNBUILT in line), "")
    _, _, text = found.partition(UNBUILT)
    cause = text.rpartition("exception: ")[2].strip()  # what comes before is the component's whole configuration
    quoted = cause.startswith("'") and cause.endswith("'")
    return (cause[1:-1] if quoted else cause).removeprefix(REFUSAL)


def lines_of(log: Path) -> list[str]:
    """Return the lines of a log; none if there is no log."""
    return log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []


def refusal(line: str) -> str:
    """Return the message of a refused setting, without the closing quote if FLARE quotes the exception."""
    before, _, text = line.partition(REFUSAL)
    return text.rstrip().removesuffix("'") if before.endswith("'") else text
