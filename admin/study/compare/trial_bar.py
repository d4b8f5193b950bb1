"""Show how many trials have ended: a bar on a terminal, one line per trial elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from admin.study.compare.trial import Trial
from admin.study.compare.trials import TrialFailed


class TrialBar:
    """Counts trials on standard error while the ``with`` block lasts.

    Args:
        title: text before the bar.
        total: number of trials.

    Attributes:
        failed: method → reason why one of its trials failed.
    """

    def __init__(self, title: str, total: int) -> None:
        self.failed: dict[str, str] = {}
        self._console, self._ended, self._total = Console(stderr=True), 0, total
        texts = (TextColumn(title), TextColumn("{task.description}"))
        times = (TimeElapsedColumn(), TimeRemainingColumn())
        self._bar = Progress(texts[0], BarColumn(), MofNCompleteColumn(), texts[1], *times, console=self._console)
        self._task = self._bar.add_task("", total=total)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def watch(self, trial: Trial, seconds: float) -> None:
        """Count a trial that has ended; ``seconds`` is its training time."""
        self._count(f"{trial.method} {trial.seed}: {seconds:.0f} s")

    def give_up(self, trial: Trial, failure: TrialFailed) -> None:
        """Count a trial that failed."""
        self.failed[trial.method] = str(failure)
        self._count(f"{trial.method} {trial.seed} failed")

    def _count(self, text: str) -> None:
        self._ended += 1
        self._bar.update(self._task, advance=1, description=text)
        if not self._console.is_terminal:
            self._console.print(f"{self._ended}/{self._total} {text}", highlight=False)
