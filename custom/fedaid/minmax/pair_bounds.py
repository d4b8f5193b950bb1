"""How many training pairs a site may report: under some rules they are its weight in the sum."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

LARGEST_RATIO = 1000  # by which the sites of a consortium may differ in size
SMALLEST_SITE = 100  # pairs; the median counts as at least this, so that a false small number makes no other one large
LARGEST_CHANGE = 2  # times the first report, or half of it; a run warns of any change


@dataclass(frozen=True)
class PairBounds:
    """The rule for ``pairs``, from the first reports of a run. FedAvg and q-FedAvg weigh sites by this number.

    1. A site reports what it reported first in the run: at most twice and at least half as many. The data of a run must
       stay the same, but a few studies may become readable or unreadable between its jobs. Judged on arrival.
    2. A site reports at most 1,000 times the median of the other sites; of an even number of sites the median is the
       larger of the two in the middle, and it counts as at least 100. So sites that differ by 1,000 times in size take
       part together. Judged when the phase ends, so that the order of arrival has no effect.

    Attributes:
        first: site → the pairs of its first accepted report in the run.
    """

    first: Mapping[str, int] = field(default_factory=dict)

    def has_changed(self, site: str, pairs: int) -> bool:
        """Whether a site reports a number far from its first one."""
        first = self.first.get(site, pairs)
        return not first <= LARGEST_CHANGE * pairs <= LARGEST_CHANGE**2 * first

    def too_many(self, pairs: Mapping[str, int]) -> dict[str, int]:
        """Site → the most that it may report, for the sites of a phase that report more, in the order of site names.

        Args:
            pairs: site → pairs of the phase.
        """
        known, found = {**self.first, **pairs}, {}
        for site in sorted(pairs):
            others = [count for other, count in known.items() if other != site]
            limit = LARGEST_RATIO * max(upper_median(others), SMALLEST_SITE) if others else pairs[site]
            if pairs[site] > limit:
                found[site] = limit
        return found


def upper_median(counts: Collection[int]) -> int:
    """The median; of an even number of counts the larger of the two in the middle."""
    return sorted(counts)[len(counts) // 2]
