"""Values of one round that neither the site's value before nor its value after supports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

Values = Mapping[str, float]  # site → nats
MARGIN = 1.0  # nats, see :func:`beyond_margin`
ENOUGH = 3  # sites in two rounds whose median change one of them cannot decide


def outliers(values: Values, near: Mapping[str, Sequence[Values]]) -> dict[str, float]:
    """Site → the value to use instead, for sites whose value was an outlier of its round.

    The dual step sees differences between sites only. So each value is taken above the median of the other sites, and
    compared with what it was above them before and after. A site that is above them twice in a row keeps its values:
    it is not an outlier. The same holds below the median: a false low value gives weight to the others.

    The value that stands out the most is replaced first, and the others are judged beside what replaced it. So the
    false value of one site, which moves the median of the others, makes no outlier of an honest site.

    Args:
        values: of the round that is judged.
        near: site → the values of the rounds in which it answered before and after, one or two; a site that is missing
            is not judged.

    Returns:
        For each outlier, the mean of its neighbours, above the median of the others; at least 0.
    """
    table, found = dict(values), dict[str, float]()
    while True:
        beyond = {site: beyond_margin(site, table, near[site]) for site in sorted(near) if site not in found}
        worst = max(beyond, key=lambda site: beyond[site], default="")
        if not worst or beyond[worst] <= 0:
            return found
        heights = [above(worst, other) for other in near[worst]]
        found[worst] = table[worst] = max(median_of_others(worst, table) + sum(heights) / len(heights), 0.0)


def beyond_margin(site: str, values: Values, near: Sequence[Values]) -> float:
    """By how much a value stands out beyond the margin, in nats; at most 0 if it does not.

    Both the site's change and its height above the others must stand out. From the change the median change of all
    sites is taken away, because all losses fall in a run. With one neighbour only, its distance from the others counts
    on either side: the false one may be the neighbour. Where all values are within the margin, none stands out.
    """
    known = [value for table in (values, *near) for value in table.values()]
    if any(len(table) < 2 for table in (values, *near)) or max(known) - min(known) <= MARGIN:
        return 0.0
    height, heights = above(site, values), [above(site, table) for table in near]
    changes = [values[site] - table[site] - common_change(values, table) for table in near]
    found = []
    for sign in (1, -1):
        usual = max(sign * other for other in heights) if len(near) > 1 else abs(heights[0])
        found.append(min(min(sign * change for change in changes), sign * height - usual))
    return max(found) - MARGIN


def common_change(values: Values, other: Values) -> float:
    """The median change of the sites from the ``other`` round to this one; 0 if fewer than three answered in both."""
    changes = [values[site] - other[site] for site in values if site in other]
    return float(np.median(changes)) if len(changes) >= ENOUGH else 0.0


def above(site: str, values: Values) -> float:
    """How far a site is above the median of the other sites, in nats."""
    return values[site] - median_of_others(site, values)


def median_of_others(site: str, values: Values) -> float:
    """The median of the other sites, at least one, in nats."""
    return float(np.median([value for other, value in values.items() if other != site]))
