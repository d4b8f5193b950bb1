"""The few shapes that the page's charts are made of, as inline SVG; every text is escaped, every colour a CSS class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup, escape

COLOURS = 8
"""Classes c0 to c7 of the page's style; beyond them they begin again, with another marker."""


def element(name: str, *children: Markup | str, **attributes: object) -> Markup:
    """An SVG element; ``_`` in an attribute's name stands for ``-``, and ``class_`` for ``class``."""
    given = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
    head = "".join(f' {key}="{escape(shown(value))}"' for key, value in given.items())
    inside = "".join(escape(child) for child in children)
    return Markup(f"<{name}{head}>{inside}</{name}>")  # noqa: S704 - every part was escaped above


def shown(value: object) -> str:
    """A number with at most one decimal, since a tenth of a pixel is enough; anything else as it is."""
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


def picture(children: Iterable[Markup], *, width: int, height: int, said: str) -> Markup:
    """A chart of its own, which shrinks with the page.

    Args:
        children: what it shows.
        width: of the drawing, in its own units.
        height: of the drawing.
        said: what somebody hears who does not see it.
    """
    return element("svg", *children, viewBox=f"0 0 {width} {height}", role="img", aria_label=said, class_="chart")


def marker(number: int, x: float, y: float, *, size: float = 3.5) -> Markup:
    """The marker of the ``number``-th series at a place: six shapes, so that colour is not all that tells them."""
    outlines: Sequence[Sequence[tuple[float, float]]] = (
        ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
        ((0, -1.2), (1.1, 0.8), (-1.1, 0.8)),
        ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
        ((0, 1.2), (1.1, -0.8), (-1.1, -0.8)),
        ((-1.5, -0.5), (1.5, -0.5), (1.5, 0.5), (-1.5, 0.5)),
    )
    kind = number % (len(outlines) + 1)
    if kind == 0:
        return dot(number, x, y, size=size)
    corners = points((x + size * a, y + size * b) for a, b in outlines[kind - 1])
    return element("polygon", points=corners, class_=f"fill {colour(number)}")


def colour(number: int) -> str:
    """The class of the ``number``-th series' colour."""
    return f"c{number % COLOURS}"


def points(places: Iterable[tuple[float, float]]) -> str:
    """Places as the attribute ``points`` has them."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def legend(names: Sequence[str], *, shapes: bool = True) -> Mapping[str, Markup]:
    """Name → its marker, in the order in which charts number their series; without ``shapes`` a dot of its colour."""
    marks = [marker(n, 7, 7, size=4.5) if shapes else dot(n, 7, 7, size=4.5) for n in range(len(names))]
    drawn = (element("svg", mark, viewBox="0 0 14 14", class_="swatch", aria_hidden="true") for mark in marks)
    return dict(zip(names, drawn, strict=True))


def dot(number: int, x: float, y: float, *, size: float) -> Markup:
    """A dot in the colour of the ``number``-th series."""
    return element("circle", cx=x, cy=y, r=size, class_=f"fill {colour(number)}")
