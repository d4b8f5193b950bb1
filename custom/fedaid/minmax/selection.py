"""Selects the best round by a named metric over the validation splits of the sites."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fedaid.errors import require

Metrics = Mapping[str, Mapping[str, float]]  # site → metric → value
WHERE = "controller args of config_fed_server.json"
LOWER_IS_BETTER = ("loss",)
METRICS = ("loss", "recall_at_1", "recall_at_5", "recall_at_10", "batch_accuracy")
SITE_METRIC = "batch_accuracy"  # for the best model of a site that trains alone; higher is better
OVER_SITES = ("worst", "mean", "cvar")


@dataclass(frozen=True)
class Selection:
    """A metric by name, for instance ``worst_loss`` or ``cvar_batch_accuracy``.

    Attributes:
        name: ``worst_``, ``mean_`` or ``cvar_`` and a metric of :data:`METRICS`.
        share: of the sites, in (0, 1]; ``cvar_`` is the mean over this share of the worst sites, at least one site.

    Raises:
        InputError: for an unknown name or an invalid share.
    """

    name: str = "worst_loss"
    share: float = 0.3

    def __post_init__(self) -> None:
        known = [f"{over}_{metric}" for over in OVER_SITES for metric in METRICS]
        ok, remedy = self.name in known, "Choose one of these."
        rule = f"be one of {', '.join(known)}"
        require(ok, "selection_metric", rule, got=repr(self.name), where=WHERE, remedy=remedy)
        ok = isinstance(self.share, (int, float)) and not isinstance(self.share, bool) and 0 < self.share <= 1
        remedy = "0.3 takes the worst three of ten sites."
        require(ok, "selection_share", "be in (0, 1]", got=repr(self.share), where=WHERE, remedy=remedy)

    def score(self, metrics: Metrics) -> float:
        """The metric over the sites, with its sign changed if lower is better."""
        over, _, metric = self.name.partition("_")
        sign = -1.0 if metric in LOWER_IS_BETTER else 1.0
        values = [sign * metrics[site][metric] for site in sorted(metrics)]
        if over == "cvar":
            return mean_of_worst(values, share=self.share)
        return min(values) if over == "worst" else sum(values) / len(values)


def mean_of_worst(values: list[float], *, share: float) -> float:
    """The mean of the lowest ``share`` of the values; the last of them may count in part.

    Args:
        values: higher is better; at least one value.
        share: in (0, 1]; a share of less than one value gives the worst value.

    Source: conditional value at risk with the values as atoms of equal weight, the one at the quantile split
    (Rockafellar and Uryasev, J. Banking & Finance 26, 2002, proposition 8).
    """
    count = max(share * len(values), 1.0)
    parts = [min(max(count - rank, 0.0), 1.0) for rank in range(len(values))]
    return sum(part * value for part, value in zip(parts, sorted(values), strict=True)) / count


class BestModel:
    """The best round so far.

    Args:
        selection: the metric.

    Attributes:
        round_number: rounds of training of the best model; -1 if there is none yet.
    """

    def __init__(self, selection: Selection) -> None:
        self.selection = selection
        self._metrics: Metrics = {}
        self.round_number = -1

    def improves(self, round_number: int, metrics: Metrics) -> bool:
        """Whether this model is better than the best one so far; if so, it becomes the best.

        If different sites answered, the two models are compared over the sites that answered both times.
        """
        common = self._metrics.keys() & metrics.keys()
        if self._metrics and not (common and self._score(metrics, common) > self._score(self._metrics, common)):
            return False
        self.round_number, self._metrics = round_number, metrics
        return True

    @property
    def metrics(self) -> Metrics:
        """Site → metrics of the best model."""
        return self._metrics

    def restore(self, round_number: int, metrics: Metrics) -> None:
        """Takes over the best round of an earlier job of the run."""
        self.round_number, self._metrics = round_number, metrics

    def _score(self, metrics: Metrics, sites: Iterable[str]) -> float:
        return self.selection.score({site: metrics[site] for site in sites})
