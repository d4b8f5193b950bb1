"""A site that does not report its losses as they are, for trials of how well the weights withstand it."""

from __future__ import annotations

from collections.abc import Mapping

from fedaid.minmax.loss_baseline import STUDENT_LOSS
from fedaid.minmax.update_bounds import largest_loss


def inflate(metrics: Mapping[str, float], factor: float, *, pairs: int) -> dict[str, float]:
    """Return the metrics of a site that reports its losses times ``factor``, but never above what the gate accepts."""
    limit = largest_loss(pairs)
    false = {name: min(factor * metrics[name], limit) for name in ("loss", STUDENT_LOSS) if name in metrics}
    return {**metrics, **false}
