"""The histograms of the private page: grey levels of the pictures, and numbers of studies by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from admin.results.inline_picture import PER_INCH, SERIES, SOFT

WIDTH, HEIGHT = 330, 200
"""Size of a histogram in SVG units."""


def bar_chart(cells: Mapping[str, int]) -> Figure:
    """Return numbers of studies by class."""
    figure, axes = _histogram(upwards="studies")
    axes.bar(range(len(cells)), list(cells.values()), color=SERIES[0])
    axes.set_xticks(range(len(cells)), list(cells), rotation=30, ha="right")
    return figure


def grey_chart(counts: Sequence[int]) -> Figure:
    """Return the share of the pixels by grey level, in equal bins from 0 to 1; ``counts`` are the pixels of each."""
    figure, axes = _histogram(upwards="share of pixels")
    axes.stairs(
        np.asarray(counts) / max(1, sum(counts)), np.linspace(0, 1, len(counts) + 1), fill=True, color=SERIES[0]
    )
    axes.set_xlabel("grey level, 1 = dense", color=SOFT, fontsize=11)
    return figure


def _histogram(*, upwards: str) -> tuple[Figure, Axes]:
    """An empty histogram with the name of what it counts."""
    figure = Figure(figsize=(WIDTH / PER_INCH, HEIGHT / PER_INCH), layout="constrained", frameon=False)
    axes = figure.subplots()
    axes.patch.set_visible(False)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(SOFT)
    axes.tick_params(colors=SOFT, labelsize=11)
    axes.set_ylabel(upwards, color=SOFT, fontsize=11)
    return figure, axes
