"""What a site could reach by itself, as the baseline of its loss: a site with hard data does not look badly served."""

from __future__ import annotations

from collections.abc import Mapping

SiteMetrics = Mapping[str, Mapping[str, float]]  # site → metric → value
STUDENT_LOSS = "student_loss"  # of the model that the site trained in the round before, on its validation split
ALONE_LOSS = "alone_loss"  # of the model that the site trained alone, on its validation split


class LossBaseline:
    """The baselines b_i of a run: the dual step then takes max(f_i − b_i, 0) in place of f_i.

    A raw loss is high where the data are hard or the reports are wrong, whatever the model; such a site would capture
    the site weights. What it loses against its own best does not do that.

    Args:
        kind: ``none``; ``student``, the site's loss of its own model after phase two of the round before; ``alone``,
            that of a model which it trained alone before the run.

    Source: the idea of a baselined loss is that of Oren et al., arXiv:1909.02060, who take the loss of a simple model
    fitted to each topic; which baselines stand here is ours.
    """

    def __init__(self, kind: str = "none") -> None:
        self._metric = {"none": "", "student": STUDENT_LOSS, "alone": ALONE_LOSS}[kind]

    def of_round(self, measured: SiteMetrics) -> dict[str, float]:
        """site → b in nats, of the sites that have one.

        Args:
            measured: what the sites report with the validation loss of the round's model.
        """
        return reported(self._metric, measured)


def reported(name: str, metrics: SiteMetrics) -> dict[str, float]:
    """site → value of a metric, of the sites that report it."""
    return {site: metrics[site][name] for site in sorted(metrics) if name in metrics[site]}


def excess(losses: Mapping[str, float], baselines: Mapping[str, float]) -> dict[str, float]:
    """site → max(f − b, 0) in nats, of the sites that have both."""
    return {site: max(losses[site] - baselines[site], 0.0) for site in losses if site in baselines}
