"""Draws a partition: the number of studies of each site, by label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray


def draw_partition(counts: Mapping[str, NDArray[np.int64]], labels: Sequence[str], *, title: str, file: Path) -> None:
    """Write a PNG with one row per site: a bar of its size and, if there are labels, their counts.

    Args:
        counts: site → (L + 1,) number of studies with each label; the last is the number of all studies.
        labels: (L,) names.
        title: the settings of the partition.
        file: the PNG.
    """
    table = np.array(list(counts.values()), dtype=np.float64)
    figure = Figure(figsize=(4 + 0.5 * len(labels), 2.6 + 0.36 * len(table)), layout="constrained")
    figure.suptitle(title, fontsize=10)
    ratios = [1.0, max(2.0, 0.4 * len(labels))][: 2 if labels else 1]
    panels = figure.subplots(1, len(ratios), sharey=True, width_ratios=ratios, squeeze=False)[0]
    _draw_sizes(panels[0], table[:, -1])
    panels[0].set(yticks=range(len(table)), yticklabels=list(counts), ylim=(len(table) - 0.5, -0.5))
    if labels:
        _draw_labels(panels[1], table, labels)
    figure.savefig(file, format="png")


def _draw_sizes(panel: Axes, sizes: NDArray[np.float64]) -> None:
    """Draw a bar for each site, with its number of studies."""
    panel.barh(range(len(sizes)), sizes, color="tab:blue", height=0.7)
    for row, size in enumerate(sizes):
        panel.annotate(f"{size:.0f}", (size, row), xytext=(3, 0), textcoords="offset points", va="center", fontsize=8)
    panel.set(title="studies", xlim=(0, 1.3 * sizes.max()))
    panel.spines[["top", "right"]].set_visible(False)


def _draw_labels(panel: Axes, table: NDArray[np.float64], labels: Sequence[str]) -> None:
    """Draw a cell for each site and label: the number of studies, shaded by their share of the site's studies."""
    shares = table[:, :-1] / np.maximum(table[:, -1:], 1.0)
    highest = max(0.01, float(shares.max()))
    panel.imshow(shares, cmap="Blues", vmin=0.0, vmax=highest, aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        colour = "white" if share > 0.6 * highest else "black"
        panel.text(column, row, f"{table[row, column]:.0f}", ha="center", va="center", fontsize=7, color=colour)
    panel.set_title("studies with each label; shade: share of the site's studies")
    panel.set_xticks(range(len(labels)), labels, rotation=40, ha="right", fontsize=8)
