"""Faults of a line. Each comes when a phase opens, and is over when its function returns."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from tests.chaos.followed_job import FollowedJob
from tests.chaos.lines.line import UP, Line

ALIGN, PRETRAIN = "align", "pretrain"
RATE = 1_000_000.0  # bytes a second, so that a message takes long enough to be cut in its middle
MIDDLE = 750_000  # bytes of a message that have passed when the line is cut: a third of the smallest message

InjectIn = Callable[[FollowedJob, Line, int], None]


class LineFault(NamedTuple):
    """A fault in one phase of one round.

    Attributes:
        name: in the outcome.
        phase: whose opening it follows.
        inject: returns when the fault is over; the round starts from 1.
        before: bytes a second of the line until the phase opens; None means as usual.
    """

    name: str
    phase: str
    inject: InjectIn
    before: float | None = None


def cut(direction: str, phase: str, seconds: float) -> LineFault:
    """The line is cut in the middle of a message."""

    def inject(job: FollowedJob, line: Line, number: int) -> None:
        line.wait_for(direction, MIDDLE, seconds=120)
        line.cut()
        time.sleep(seconds)

    message = "update" if direction == UP else "model"
    return LineFault(f"cut of {seconds:g} s in the {message}, {phase}", phase, inject, before=RATE)


def storm(resets: int) -> LineFault:
    """Connections are reset every half second."""

    def inject(job: FollowedJob, line: Line, number: int) -> None:
        for _ in range(resets):
            line.reset()
            time.sleep(0.5)

    return LineFault(f"{resets} resets in {resets / 2:g} s", ALIGN, inject)


def limited(name: str, *, rate: float | None = None, latency: float = 0.0) -> LineFault:
    """The line is slow for a round."""

    def inject(job: FollowedJob, line: Line, number: int) -> None:
        line.bytes_per_second, line.latency = rate or line.usual, latency
        job.wait_for("commit", round=number)

    return LineFault(name, ALIGN, inject)


def held(phase: str, seconds: float) -> LineFault:
    """Connections stay open, and nothing passes."""

    def inject(job: FollowedJob, line: Line, number: int) -> None:
        line.holds = True
        time.sleep(seconds)

    return LineFault(f"half open for {seconds:g} s, {phase}", phase, inject)
