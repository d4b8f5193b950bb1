"""Shows the progress of ``prepare`` on standard error: a bar on a terminal, otherwise one line per step."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Item = TypeVar("Item")


def untracked(items: Iterable[Item], total: int, doing: str) -> Iterator[Item]:
    """Yield the items without showing progress, for preparations beside each other."""
    del total, doing
    yield from items


def tracked(items: Iterable[Item], total: int, doing: str) -> Iterator[Item]:
    """Yield the items, and show how many of ``total`` are done."""
    console = Console(stderr=True)
    if not console.is_terminal:
        print(f"{doing}: {total}", file=sys.stderr, flush=True)
        yield from items
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        yield from progress.track(items, total=total, description=doing)
