"""Collects what the sites measured of one model."""

from __future__ import annotations

from collections.abc import Mapping

from nvflare.apis.shareable import Shareable

from fedaid.flare.gate import demand, judge_metrics
from fedaid.flare.messages import metrics_from_shareable
from fedaid.flare.selection import METRICS

SPLITS = ("valid", "test")
Splits = Mapping[str, Mapping[str, float]]  # split → metric → value


class Ballot:
    """Takes one answer of each site about one model, and only a sound one.

    Args:
        round_number: rounds that the model was trained for.
        sites: those that were asked.

    Attributes:
        sites: as given.
        answers: site → split → metric → value.
        refused: site → why its answer was not taken.
    """

    def __init__(self, round_number: int, sites: list[str]) -> None:
        self._round_number, self.sites = round_number, sites
        self.answers: dict[str, Splits] = {}
        self.refused: dict[str, str] = {}

    def take(self, site: str, shareable: Shareable) -> bool:
        """Whether the answer of the authenticated ``site`` was taken; if not, ``refused`` says why."""
        try:
            demand(site in self.sites and site not in self.answers, "the site was not asked, or has answered")
            self.answers[site] = self._sound(shareable)
        except ValueError as reason:
            self.refused[site] = f"metrics of site {site} refused: {reason}"
            return False
        return True

    def _sound(self, shareable: Shareable) -> Splits:
        message = metrics_from_shareable(shareable)
        demand(message.round_number == self._round_number, "it answers another round")
        demand("valid" in message.splits and set(message.splits) <= set(SPLITS), "it must hold valid and test only")
        for split, metrics in message.splits.items():
            judge_metrics(metrics, needs=METRICS if split == "valid" else METRICS[1:])
        return message.splits
