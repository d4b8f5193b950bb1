"""Show a running job's progress: a live picture on a terminal, one plain line per change elsewhere."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from admin.session.display.progress_picture import headline, picture, shown
from admin.session.job_progress import Progress


class ProgressDisplay:
    """Shows each :class:`Progress` while the ``with`` block lasts.

    Args:
        stream: the output, standard error if None; a terminal gets the live picture.

    Attributes:
        last: what was shown last; None if nothing was.
        losses: site → its losses so far, one for each round with a measured loss.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = sys.stderr if stream is None else stream
        self.console = Console(file=self.stream)
        self.last: Progress | None = None
        self.losses: dict[str, list[float]] = {}
        self._live: Live | None = None
        self._shown_at = 0.0
        self._last_news: tuple[object, ...] | None = None
        self._noted: set[str] = set()

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self._live = Live(console=self.console, refresh_per_second=4, get_renderable=self._picture)
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def show(self, progress: Progress) -> None:
        """Update the display, write each new note; without a terminal, write a line if more than the time changes."""
        for note in [note for note in progress.notes if note not in self._noted]:
            self._noted.add(note)
            self.console.print(f"warning: {note}", markup=False, highlight=False, soft_wrap=True)
        self._add_losses(progress)
        self.last, self._shown_at = progress, time.monotonic()
        if self._live is None:
            self._write_line(progress)

    def _add_losses(self, progress: Progress) -> None:
        """A site's loss changes once a round; two rounds have the same loss only if nothing was trained."""
        for site, loss in progress.site_losses.items():
            curve = self.losses.setdefault(site, [])
            if not curve or curve[-1] != loss:
                curve.append(loss)

    def _write_line(self, progress: Progress) -> None:
        news = (progress.phase, progress.current_round, *progress.site_losses.items(), *progress.site_weights.items())
        if news != self._last_news:
            print(line(progress), file=self.stream, flush=True)
            self._last_news = news

    def _picture(self) -> Group | Text:
        """The picture of now: between two answers of the server the clocks go on."""
        if self.last is None:
            return Text("waiting for the job to start")
        now = at_time(self.last, time.monotonic() - self._shown_at)
        return picture(now, self.losses, plain=self.console.options.ascii_only)


def at_time(progress: Progress, later: float) -> Progress:
    """Return the progress with its clocks ``later`` seconds on."""
    left = None if progress.remaining is None else max(0.0, progress.remaining - later)
    return replace(progress, elapsed=progress.elapsed + later, remaining=left)


def line(progress: Progress) -> str:
    """Return the whole progress in one plain line."""
    sites = f"  sites {' '.join(progress.sites)}" if progress.sites else ""
    losses = " ".join(f"{site}={shown(value, 4)}" for site, value in sorted(progress.site_losses.items()))
    weights = " ".join(f"{site}={shown(value, 3)}" for site, value in sorted(progress.site_weights.items()))
    return f"{headline(progress)}{sites}  loss {losses or '-'}  weight {weights or '-'}"
