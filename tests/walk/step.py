"""A step of the walk: one command of a page, where it is typed, and what it must answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.walk.world import World


@dataclass(frozen=True, eq=False)
class Step:
    """One command of a page.

    Attributes:
        page: without ``.md``.
        line: as the page prints it.
        at: the folder in which it is typed, a name of :class:`tests.walk.world.World`.
        instead: text of the line → what stands here for it, beside the placeholders of all pages.
        why: the reason of ``instead``; shown with it.
        code: the exit code.
        says: patterns that the answer must contain, in any order.
        never: patterns that it must not contain.
        answer: what is typed at its questions.
        keep: a name under which the first job id in the answer is kept.
        then: checks what the command has done; raises AssertionError.
    """

    page: str
    line: str
    at: str = "checkout"
    instead: Mapping[str, str] = field(default_factory=dict)
    why: str = ""
    code: int = 0
    says: tuple[str, ...] = ()
    never: tuple[str, ...] = (r"Traceback \(most recent call last\)",)
    answer: str = ""
    keep: str = ""
    then: Callable[[World], None] | None = None


@dataclass(frozen=True)
class Outcome:
    """What a step did: the command that was run, its exit code, and what is wrong with it."""

    step: Step
    command: str
    code: int
    output: str
    wrong: tuple[str, ...]
    seconds: float


def wrong_with(step: Step, code: int, output: str) -> tuple[str, ...]:
    """What is wrong with an answer; empty if nothing is."""
    wrong = [] if code == step.code else [f"exit code {code} instead of {step.code}"]
    wrong += [f"does not say {pattern!r}" for pattern in step.says if not re.search(pattern, output, re.MULTILINE)]
    wrong += [f"says {pattern!r}" for pattern in step.never if re.search(pattern, output, re.MULTILINE)]
    return tuple(wrong)
