"""The report's figures: lines over rounds, intervals in a table, pairs in the embedding space, the legend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from admin.results.inline_picture import LINE, PAPER, PER_INCH, SERIES, SOFT

MARKERS = ("o", "s", "^", "D", "v", "P")
"""Shapes of the series, so that colour is not the only difference."""
CHART, CELL, SQUARE, SWATCH = (460, 260), 320, 420, 14
"""Sizes in SVG units: a line chart, the width of an interval, the embedding space, an entry of the legend."""
PAD, PITCH, EDGE = 5, 12, 0.03
"""SVG units above the first interval and below the last, and from one to the next; room beside 0 and 1."""
MOST_MARKED = 25
"""Points of a line that still have a marker each."""

Points = Sequence[Sequence[float]]
Places = NDArray[np.floating[Any]]


def line_chart(series: Mapping[str, Points], *, x_label: str, limit: float | None = None) -> Figure:
    """Return a chart with one line per series, from 0 upwards.

    Args:
        series: name → points (x, y) in the order of x; the order of the names gives colours and markers.
        x_label: below the axis.
        limit: height of a dashed line.
    """
    figure = Figure(figsize=inches(*CHART), layout="constrained", frameon=False)
    axes = figure.subplots()
    for number, points in enumerate(series.values()):
        across, up = [x for x, _ in points], [y for _, y in points]
        every = 1 + len(points) // MOST_MARKED
        axes.plot(across, up, **look(number), markevery=every, markersize=6, linewidth=2)
    if limit is not None:
        axes.axhline(limit, color=SOFT, linestyle="--", linewidth=1.5)
    axes.set_ylim(0, None)
    axes.set_xlabel(x_label, color=SOFT, fontsize=12)
    quiet(axes)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    unclip(axes)
    return figure


def quiet(axes: Axes) -> None:
    """Leaves only numbers and level grid lines of a chart's frame."""
    axes.patch.set_visible(False)
    axes.spines[:].set_visible(False)
    axes.margins(x=0)
    axes.grid(axis="y", color=LINE, linewidth=1)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, pad=7, labelcolor=SOFT, labelsize=12)


def interval_cell(marks: Sequence[Mapping[str, Any]], *, line: float | None = None) -> Figure:
    """Return shares with their intervals, one above the other, for a cell of a table that reaches from 0 to 1.

    Args:
        marks: ``value``, ``low``, ``high`` of each; all but the last are hollow.
        line: share at which an upright dashed line stands, such as chance.
    """
    height = 2 * PAD + PITCH * len(marks)
    figure = Figure(figsize=inches(CELL, height), frameon=False)
    axes = bare_axes(figure)
    axes.set(xlim=(-EDGE, 1 + EDGE), ylim=(height, 0))
    axes.plot([0, 1], [height - 1, height - 1], color=LINE, linewidth=1)
    if line is not None:
        axes.plot([line, line], [1, height - 1], color=SOFT, linestyle="--", linewidth=1.5)
    for number, mark in enumerate(marks):
        colour, fill = (SOFT, PAPER) if number < len(marks) - 1 else (SERIES[0], SERIES[0])
        at = PAD + PITCH * (number + 0.5)
        low, value, high = np.clip([mark["low"], mark["value"], mark["high"]], 0, 1)
        axes.plot([low, high], [at, at], color=colour, linewidth=2)
        axes.plot([value], [at], "o", color=colour, markerfacecolor=fill, markersize=7, markeredgewidth=2)
    unclip(axes)
    return figure


def pairs_chart(sites: Iterable[tuple[Places, Places]]) -> Figure:
    """Return the pairs of all sites in a plane: images as circles, reports as triangles, a line joins a pair.

    Args:
        sites: places (N, 2) of a site's images and of their reports; the order gives the colours.
    """
    figure = Figure(figsize=inches(SQUARE, SQUARE), frameon=False)
    axes = bare_axes(figure)
    axes.set_aspect("equal")
    for number, (images, reports) in enumerate(sites):
        colour = SERIES[number % len(SERIES)]
        gaps = np.full((len(images), 2), np.nan)
        joined = np.stack([images, reports, gaps], axis=1).reshape(-1, 2)
        axes.plot(*joined.T, color=colour, alpha=0.4, linewidth=0.6)
        axes.plot(*images.T, "o", color=colour, alpha=0.8, markersize=6, markeredgewidth=0)
        axes.plot(*reports.T, "^", color=colour, markersize=7, markerfacecolor=PAPER)
    unclip(axes)
    return figure


def swatch(number: int, *, shape: bool) -> Figure:
    """Return the marker of the ``number``-th series for the legend; without ``shape`` a dot of its colour."""
    figure = Figure(figsize=inches(SWATCH, SWATCH), frameon=False)
    axes = bare_axes(figure)
    axes.plot([0], [0], **look(number) | ({} if shape else {"marker": "o"}), markersize=9)
    unclip(axes)
    return figure


def look(number: int) -> dict[str, Any]:
    """Colour and marker of the ``number``-th series."""
    return {"color": SERIES[number % len(SERIES)], "marker": MARKERS[number % len(MARKERS)]}


def bare_axes(figure: Figure) -> Axes:
    """Axes without frame and numbers, as large as the figure."""
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    return axes


def unclip(axes: Axes) -> None:
    """Lets marks pass the edge of the axes; without clip paths the SVG is also much smaller."""
    for line in axes.lines:
        line.set_clip_on(False)


def inches(width: float, height: float) -> tuple[float, float]:
    """A size in SVG units as matplotlib takes it."""
    return width / PER_INCH, height / PER_INCH
