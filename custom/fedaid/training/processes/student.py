"""What one process of a site tells another of the model that the site trained last."""

from __future__ import annotations

from typing import NamedTuple


class Student(NamedTuple):
    """The model that a site trained in phase two of a round; its validation loss in nats is None until measured."""

    round_number: int
    loss: float | None = None
