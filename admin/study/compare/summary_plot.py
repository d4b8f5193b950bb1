"""Draw each method's mean and worst site, one panel for each data set."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from admin.study.compare.summary_table import Summaries, chance_of, of

mpl.use("agg")
MARKS = (("worst", "worst site", "#b3261e", "o"), ("mean", "mean over sites", "#1f4e79", "s"))


def draw_summaries(sets: Mapping[str, Summaries]) -> Figure:
    """Return a figure with a panel for each data set and a row for each method, with 95 % intervals."""
    rows = max(len(methods) for methods in sets.values())
    figure = Figure(figsize=(4.2 * len(sets) + 0.6, 0.3 * rows + 1.3), layout="constrained")
    for axes, (name, methods) in zip(figure.subplots(1, len(sets), squeeze=False)[0], sets.items(), strict=True):
        panel(axes, methods)
        axes.set_title(name, fontsize=10)
    marks = figure.axes[0].get_legend_handles_labels()
    figure.legend(*marks, loc="outside lower center", ncols=len(MARKS), fontsize=8, frameon=False)
    return figure


def panel(axes: Axes, methods: Summaries) -> None:
    """Draw the rows of one data set, best worst site on top; dotted lines mark the recall of a random guess."""
    order = sorted(methods, key=lambda method: of(methods[method], "worst"))
    for (over, label, colour, marker), guess in zip(MARKS, chance_of(methods), strict=True):
        axes.axvline(guess, color=colour, linewidth=0.8, linestyle=":")
        values = [of(methods[method], over) for method in order]
        bounds = [methods[method]["interval"][over] for method in order]
        reach = [[max(v - b[0], 0) for v, b in zip(values, bounds, strict=True)]]
        reach += [[max(b[1] - v, 0) for v, b in zip(values, bounds, strict=True)]]
        rows = range(len(order))
        axes.errorbar(values, rows, xerr=reach, label=label, fmt=marker, color=colour, markersize=4, linewidth=1)
    axes.set_yticks(range(len(order)), order, fontsize=8)
    for tick, method in zip(axes.get_yticklabels(), order, strict=True):
        tick.set_fontweight("bold" if method == "fedaid" else "normal")
    axes.set_xlim(0, 100)
    metric = "AUROC" if any("mean_auroc" in found for found in methods.values()) else "recall at 5"
    axes.set_xlabel(f"{metric} on the test patients, in %", fontsize=9)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
