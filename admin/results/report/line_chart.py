"""Lines over the rounds of a run, one a site."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.ticker import MaxNLocator

from admin.results.report.svg import colour, element, marker, picture, points

WIDTH, HEIGHT = 460, 260
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 12, 40
Points = Sequence[Sequence[float]]
MOST_MARKED = 25  # points of a line that still have a marker each


@dataclass(frozen=True)
class Frame:
    """The axes of a chart: which numbers they show, and where on the drawing a place of them lies."""

    x_ticks: Sequence[float]
    y_ticks: Sequence[float]

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the data lies on the drawing."""
        across = (x - self.x_ticks[0]) / ((self.x_ticks[-1] - self.x_ticks[0]) or 1)
        up = (y - self.y_ticks[0]) / ((self.y_ticks[-1] - self.y_ticks[0]) or 1)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)


def line_chart(series: Mapping[str, Points], *, x_label: str, y_label: str, limit: float | None = None) -> Markup:
    """A chart with a line for each series, from 0 upwards.

    Args:
        series: name → points (x, y) in the order of x; the order of names gives colours and markers.
        x_label: under the axis.
        y_label: over the axis, and what the chart is called where it is not seen.
        limit: a height to draw a dashed line at.
    """
    all_points = [point for line in series.values() for point in line]
    heights = [y for _, y in all_points] + ([limit] if limit is not None else [])
    frame = Frame(whole_ticks([x for x, _ in all_points]), ticks(max(heights, default=1.0)))
    parts = [*axes(frame, x_label=x_label)]
    if limit is not None:
        left, right = frame.at(frame.x_ticks[0], limit), frame.at(frame.x_ticks[-1], limit)
        parts.append(element("line", x1=left[0], y1=left[1], x2=right[0], y2=right[1], class_="limit"))
    for number, line in enumerate(series.values()):
        parts += drawn(frame, line, number)
    return picture(
        parts, width=WIDTH, height=HEIGHT, said=f"{y_label} by {x_label}, a line for each of {', '.join(series)}"
    )


def drawn(frame: Frame, line: Points, number: int) -> list[Markup]:
    """A line with its markers; of a long one only every few points have one."""
    places = [frame.at(x, y) for x, y in line]
    every = 1 + len(places) // MOST_MARKED
    marks = [marker(number, *place) for place in places[::every]]
    return [element("polyline", points=points(places), class_=f"line {colour(number)}"), *marks]


def axes(frame: Frame, *, x_label: str) -> Iterable[Markup]:
    """Grid lines, their numbers, and the label of the lower axis."""
    for tick in frame.y_ticks:
        x, y = frame.at(frame.x_ticks[0], tick)
        yield element("line", x1=x, y1=y, x2=WIDTH - RIGHT, y2=y, class_="grid")
        yield element("text", f"{tick:g}", x=LEFT - 7, y=y + 4, class_="tick end")
    for tick in frame.x_ticks:
        x, y = frame.at(tick, frame.y_ticks[0])
        yield element("text", f"{tick:g}", x=x, y=y + 17, class_="tick mid")
    yield element("text", x_label, x=(LEFT + WIDTH - RIGHT) / 2, y=HEIGHT - 4, class_="tick mid")


def ticks(highest: float) -> list[float]:
    """Round numbers from 0 to at least ``highest``, at most six steps."""
    found = MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]).tick_values(0.0, highest or 1.0)
    return [round(float(tick), 10) for tick in found]


def whole_ticks(values: Sequence[float]) -> list[float]:
    """Whole numbers that span the values; the first and the last of the values are the ends."""
    low, high = min(values, default=0), max(values, default=1)
    inner = MaxNLocator(8, integer=True).tick_values(low, high)
    return sorted({float(low), float(high), *(float(tick) for tick in inner if low < tick < high)})
