"""Show a running job's progress: a bar and a table on a terminal, one plain line per change elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from admin.session.job_progress import Progress


class ProgressDisplay:
    """Shows each :class:`Progress` while the ``with`` block lasts.

    Args:
        stream: the output, standard error if None; a terminal gets the live display.

    Attributes:
        last: what was shown last; None if nothing was.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = sys.stderr if stream is None else stream
        self.console = Console(file=self.stream)
        self._live: Live | None = None
        self._last: tuple[object, ...] | None = None
        self._noted: set[str] = set()
        self.last: Progress | None = None

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live = Live(Text("waiting for the job to start"), console=self.console, refresh_per_second=4)
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def show(self, progress: Progress) -> None:
        """Update the display, and write each new note; without a terminal, write a line for each change."""
        for note in [note for note in progress.notes if note not in self._noted]:
            self._noted.add(note)
            self.console.print(f"warning: {note}", markup=False, highlight=False, soft_wrap=True)
        """Update the display; without a terminal, write a line if anything but the time changed."""
        self.last = progress
        if self._live is not None:
            self._live.update(picture(progress))
            return
        news = (progress.phase, progress.current_round, *progress.site_losses.items(), *progress.site_weights.items())
        if news != self._last:
            print(line(progress), file=self.stream, flush=True)
            self._last = news


def picture(progress: Progress) -> Group:
    """Return the bar of the rounds and the table of the sites."""
    bar = ProgressBar(total=max(progress.num_rounds, 1), completed=progress.current_round, width=40)
    table = Table("site", "loss", "weight", box=None)
    for site in sorted(progress.site_losses.keys() | progress.site_weights.keys()):
        table.add_row(site, shown(progress.site_losses.get(site), 4), shown(progress.site_weights.get(site), 3))
    return Group(Text(headline(progress)), bar, table)


def headline(progress: Progress) -> str:
    """Return round, phase and times in one line."""
    done = min(progress.current_round + 1, progress.num_rounds)
    times = f"elapsed {clock(progress.elapsed)}  remaining {clock(progress.remaining)}"
    return f"round {done}/{progress.num_rounds}  {progress.phase}  {times}"


def line(progress: Progress) -> str:
    """Return the whole progress in one plain line."""
    losses = " ".join(f"{site}={shown(value, 4)}" for site, value in sorted(progress.site_losses.items()))
    weights = " ".join(f"{site}={shown(value, 3)}" for site, value in sorted(progress.site_weights.items()))
    return f"{headline(progress)}  loss {losses or '-'}  weight {weights or '-'}"


def shown(value: float | None, digits: int) -> str:
    """Return a number with ``digits`` decimals, or a dash for None."""
    return "-" if value is None else f"{value:.{digits}f}"


def clock(seconds: float | None) -> str:
    """Return seconds as ``h:mm:ss``, or a dash for None."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
