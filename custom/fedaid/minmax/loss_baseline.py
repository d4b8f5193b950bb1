"""The baseline of a site's loss: what the site reaches by itself, so that hard data alone give it no weight."""

from __future__ import annotations

from collections.abc import Mapping

SiteMetrics = Mapping[str, Mapping[str, float]]  # site → metric → value
STUDENT_LOSS = "student_loss"  # of the model that the site trained in the previous round, on its validation split
ALONE_LOSS = "alone_loss"  # of the model that the site trained alone, on its validation split


class LossBaseline:
    """The baselines b_i of a run: the dual step uses max(f_i − b_i, 0) instead of f_i.

    The loss of a site with hard data or wrong reports is high for every model, so this site would get most of the
    weight. The difference from the site's own model avoids that.

    Args:
        kind: ``none``; ``student``, the loss of the site's model after phase two of the previous round; ``alone``, the
            loss of a model that the site trained alone before the run.

    Source: Oren et al., arXiv:1909.02060, subtract the loss of a simple model fitted to each topic. The baselines here
    are ours.
    """

    def __init__(self, kind: str = "none") -> None:
        self._metric = {"none": "", "student": STUDENT_LOSS, "alone": ALONE_LOSS}[kind]

    def of_round(self, measured: SiteMetrics) -> dict[str, float]:
        """Site → b in nats, of the sites with a baseline.

        Args:
            measured: the metrics that the sites report for the round's model.
        """
        return reported(self._metric, measured)


def reported(name: str, metrics: SiteMetrics) -> dict[str, float]:
    """Site → value of a metric, of the sites that report it."""
    return {site: metrics[site][name] for site in sorted(metrics) if name in metrics[site]}


def excess(losses: Mapping[str, float], baselines: Mapping[str, float]) -> dict[str, float]:
    """Site → max(f − b, 0) in nats, of the sites with a loss and a baseline."""
    return {site: max(losses[site] - baselines[site], 0.0) for site in losses if site in baselines}
