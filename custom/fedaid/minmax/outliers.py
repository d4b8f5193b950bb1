"""Values of one round that neither the round before nor the round after supports."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

Values = Mapping[str, float]  # site → nats
FACTOR, MARGIN = (
    2.0,
    1.0,
)  # an outlier is above the others by FACTOR times what it is in its neighbours, plus MARGIN nats


def outliers(values: Values, before: Values, after: Values) -> dict[str, float]:
    """Site → the value to use instead, for sites whose value was an outlier of its round.

    The dual step sees differences between sites only. So each value is taken above the median of the other sites, and
    compared with what it was above them in the rounds before and after. A site that is above them for two rounds keeps
    its values: it is not an outlier. An outlier is also above the site's own neighbours by the margin, so that another
    site's false value, which moves the median, makes none.

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
        own = max(after[site], before.get(site, after[site]))
        middle = float(np.median(others))
        if values[site] > own + MARGIN and values[site] - middle > FACTOR * max(*near, 0.0) + MARGIN:
            found[site] = max(middle + sum(near) / len(near), 0.0)
    return found


def above(site: str, values: Values) -> float | None:
    """How far a site is above the median of the other sites; None without its value or without others."""
    others = [value for other, value in values.items() if other != site]
    return values[site] - float(np.median(others)) if site in values and others else None
