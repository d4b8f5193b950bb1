"""What metrics and counts a site may report, whatever the task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fedaid.flare.wire.tasks import MOST_FIELDS
from fedaid.minmax.loss_baseline import ALONE_LOSS, STUDENT_LOSS
from fedaid.minmax.selection import METRICS
from fedaid.minmax.update_bounds import largest_loss

LARGEST_COUNT = 10**9
LONGEST_NAME = 40  # characters, of a metric or a reason
LARGEST_METRIC = 1e6
LOSSES = ("loss", STUDENT_LOSS, ALONE_LOSS)  # InfoNCE in nats, on the validation split
SHARES = METRICS[1:]  # recalls and accuracies
LARGEST_SHARE = 1 + 1e-6  # with rounding


def judge_metrics(metrics: Mapping[str, Any], *, needs: tuple[str, ...]) -> None:
    """Judges all metrics of an answer but the size of its losses.

    Raises:
        ValueError: if a needed metric is missing, a metric is not a finite number of at least 0, or a share is above 1.
    """
    demand(len(metrics) <= MOST_FIELDS, "too many fields")
    for name in needs:
        demand(name in metrics, f"metric {name} is missing")
    for name, value in metrics.items():
        sound = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= LARGEST_METRIC
        demand(is_name(name), "metric names must be short texts")
        demand(sound, f"metric {name} must be a finite number of at least 0")
        demand(name not in SHARES or value <= LARGEST_SHARE, f"metric {name} must be at most 1")


def judge_losses(metrics: Mapping[str, float], *, pairs: int) -> None:
    """Raises ``ValueError`` if a loss is above what InfoNCE can be at a site with this many pairs."""
    limit = largest_loss(pairs)
    for name in LOSSES:
        demand(metrics.get(name, 0.0) <= limit, f"metric {name} must be at most {limit:g} nats")


def is_name(name: object) -> bool:
    """Whether this is a short text in one line, so that it can be a key of the run's record and stand in its log."""
    return isinstance(name, str) and len(name) <= LONGEST_NAME and name.isprintable()


def is_count(value: object) -> bool:
    """Whether this is a whole number in 0..1e9; a bool is not a number."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_COUNT


def demand(condition: bool, reason: str) -> None:
    """Raises ``ValueError`` with the reason unless the condition holds."""
    if not condition:
        raise ValueError(reason)
