"""Collects what the sites measured of one model, one answer of each site."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nvflare.apis.shareable import Shareable

from fedaid.flare.server.gate import RefusedAnswer
from fedaid.flare.wire.messages import metrics_from_shareable, result_from_shareable
from fedaid.flare.wire.metric_rules import demand, is_name, judge_losses, judge_metrics
from fedaid.minmax.selection import METRICS
from fedaid.minmax.update_bounds import LARGEST_BATCH

SPLITS = ("valid", "test")
Splits = Mapping[str, Mapping[str, float]]  # split → metric → value


class Ballot:
    """Accepts at most one answer of each site about one model, if it is sound.

    Args:
        round_number: rounds that the model was trained for.
        sites: those that are asked.
        pairs: site → its training pairs, which bound its losses; a site may be missing.

    Attributes:
        sites: as given.
        answers: site → split → metric → value.
        refused: site → why its answer was not accepted.
    """

    def __init__(self, round_number: int, sites: list[str], *, pairs: Mapping[str, int] | None = None) -> None:
        self._round_number, self.sites, self._pairs = round_number, sites, pairs or {}
        self.answers: dict[str, Splits] = {}
        self.refused: dict[str, str] = {}

    def take(self, site: str, shareable: Shareable) -> None:
        """Accepts the answer of the authenticated ``site``.

        Raises:
            RefusedAnswer: nothing of the answer is kept.
        """
        try:
            demand(site in self.sites and site not in self.answers, "the site was not asked, or has answered")
            self.answers[site] = self._sound(site, shareable)
        except ValueError as reason:
            self.refused[site] = f"metrics of site {site} refused: {reason}"
            raise RefusedAnswer(self.refused[site]) from reason

    def _sound(self, site: str, shareable: Shareable) -> Splits:
        message = metrics_from_shareable(shareable)
        demand(message.round_number == self._round_number, "it answers another round")
        demand("valid" in message.splits and set(message.splits) <= set(SPLITS), "it must hold valid and test only")
        for split, metrics in message.splits.items():
            judge_metrics(metrics, needs=METRICS if split == "valid" else METRICS[1:])
            judge_losses(metrics, pairs=self._pairs.get(site, LARGEST_BATCH))
        return message.splits


DEEPEST = 10  # levels of dictionaries and lists
MOST_VALUES = 20_000
LARGEST = 1e9


class SuiteBallot(Ballot):
    """Accepts one result of each site about one model: plain JSON of bounded size, finite numbers, short texts.

    Args:
        round_number: of the task.
        sites: those that are asked.

    Attributes:
        answers: site → ``{"suite": …, "skipped": …}``.
    """

    def _sound(self, site: str, shareable: Shareable) -> Any:
        number, result = result_from_shareable(shareable)
        demand(number == self._round_number, "it answers another task")
        demand(isinstance(result, dict) and result.keys() == {"suite", "skipped"}, "it must hold suite and skipped")
        demand(all(isinstance(part, dict) for part in result.values()), "its parts must be objects")
        demand(judge_result(result) <= MOST_VALUES, f"it must have at most {MOST_VALUES} values")
        return result


def judge_result(value: Any, *, depth: int = 0) -> int:
    """Returns the number of values in a JSON value.

    Raises:
        ValueError: for a number that is too large or not finite, a long text or name, or too many levels.
    """
    demand(depth <= DEEPEST, "it is nested too deeply")
    if isinstance(value, dict):
        demand(all(is_name(name) for name in value), "names must be short texts")
        return sum(judge_result(one, depth=depth + 1) for one in value.values()) + 1
    if isinstance(value, list):
        return sum(judge_result(one, depth=depth + 1) for one in value) + 1
    if isinstance(value, str):
        demand(is_name(value), "texts must be short")
    elif isinstance(value, (int, float)):
        demand(-LARGEST <= value <= LARGEST, "numbers must be finite and at most 1e9")
    return 1
