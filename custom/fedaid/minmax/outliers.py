"""Values of one round that neither the round before nor the round after supports."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

Values = Mapping[str, float]  # site → nats
MARGIN = 1.0  # nats, see :func:`stands_out`


def outliers(values: Values, before: Values, after: Values) -> dict[str, float]:
    """Site → the value to use instead, for sites whose value was an outlier of its round.

    The dual step sees differences between sites only. So each value is taken above the median of the other sites, and
    compared with what it was above them in the rounds before and after. A site that is above them for two rounds keeps
    its values: it is not an outlier. The same holds below the median: a false low value gives weight to the others.

    Args:
        values: of the round that is judged.
        before: of the round before; a site without a value there is compared with the round after only.
        after: of the round after; a site without a value there is not judged.

    Returns:
        For each outlier, the mean of its neighbours, above the median of the others; at least 0.
    """
    found = {}
    for site in sorted(values):
        others = [value for other, value in values.items() if other != site]
        if not others or above(site, after) is None:
            continue
        near = [height for height in (above(site, before), above(site, after)) if height is not None]
        own = [table[site] for table in (before, after) if site in table]
        middle = float(np.median(others))
        height = values[site] - middle
        down = ([-value for value in own], [-other for other in near])
        if stands_out(values[site], height, own, near) or stands_out(-values[site], -height, *down):
            found[site] = max(middle + sum(near) / len(near), 0.0)
    return found


def stands_out(value: float, height: float, own: list[float], near: list[float]) -> bool:
    """Whether a value, and its height above the others, are above those of its neighbours by more than the margin.

    Both count, so that another site's false value, which moves the median, makes no outlier. With one neighbour only,
    its distance from the others counts on either side: the false one may be the neighbour.
    """
    usual = max(*near, 0.0) if len(near) > 1 else abs(near[0])
    return value > max(own) + MARGIN and height > usual + MARGIN


def above(site: str, values: Values) -> float | None:
    """How far a site is above the median of the other sites; None without its value or without others."""
    others = [value for other, value in values.items() if other != site]
    return values[site] - float(np.median(others)) if site in values and others else None
