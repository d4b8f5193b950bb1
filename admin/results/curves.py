"""Draws a run: each site's validation loss and its site weight, round by round."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from admin.results.run_results import RunResults


def draw_curves(results: RunResults, file: Path) -> None:
    """Write the curves as a PNG."""
    curves(results).savefig(file, format="png")


def curves(results: RunResults) -> Figure:
    """Return two panels, validation loss and site weight, with one line per site."""
    rounds = [entry["round"] for entry in results.history]
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    panels = figure.subplots(1, 2)
    for site in results.sites:
        losses = [entry["valid"].get(site.name, {}).get("loss") for entry in results.history]
        ends = [*losses, results.last_losses.get(site.name)]
        panels[0].plot(range(len(ends)), ends, marker=".", label=site.name)
        panels[1].plot(rounds, [entry["site_weights"].get(site.name) for entry in results.history], marker=".")
    panels[0].set(title="Validation loss (nats)", xlabel="rounds of training", ylim=(0, None))
    panels[1].set(title="Site weights α", xlabel="round", ylim=(0, None))
    panels[0].legend(frameon=False, fontsize=8)
    for panel in panels:
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.spines[["top", "right"]].set_visible(False)
    return figure
