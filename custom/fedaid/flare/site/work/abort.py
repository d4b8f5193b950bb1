"""The check for an abort of a run, for code that knows no FLARE."""

from __future__ import annotations

from typing import Protocol


class Triggered(Protocol):
    """A signal, such as FLARE's."""

    @property
    def triggered(self) -> bool:
        """Whether the work must end."""


class Aborted(RuntimeError):
    """The run was aborted."""


class Abort:
    """Checks for an abort: during decoding, at every training step, and before the model embeds a batch.

    Attributes:
        signal: of the current task; None before the first one.
    """

    def __init__(self) -> None:
        self.signal: Triggered | None = None

    def __call__(self, *_: object) -> None:
        """Raises :class:`Aborted` if the run was aborted."""
        if self.signal is not None and self.signal.triggered:
            raise Aborted

    def __deepcopy__(self, memo: dict[int, object]) -> Abort:
        """Returns itself, so that a copy of the model (the teacher) checks the same signal."""
        return self
