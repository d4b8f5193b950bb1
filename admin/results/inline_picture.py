"""Pictures inside a page: a chart as an SVG element, a radiograph as a data: address."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

import numpy as np
from markupsafe import Markup, escape
from matplotlib import rc_context
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

SERIES = ("#0072b2", "#d55e00", "#008a63", "#a3478b", "#8a6d00", "#3d8fc4", "#7a4b2a", "#555b61")
"""Colours of the series: eight that people with any colour vision can tell apart."""
SOFT, LINE, PAPER = "#57606a", "#d0d7de", "#ffffff"
"""Colours of text, of grid lines and of the background."""
VARIABLES = {name: f"var(--c{number})" for number, name in enumerate(SERIES)} | {
    SOFT: "var(--soft)",
    LINE: "var(--line)",
    PAPER: "var(--paper)",
}
"""Each colour with the CSS variable that holds it in the page, so that a dark page has dark charts."""
PER_INCH = 72.0  # units of an SVG figure
SHOWN_SIDE = 192

_REMOVED = (
    r"<defs>\s*<style.*?</style>\s*</defs>",  # a style rule that would apply to the whole page
    r' id="[\w.]+_\d+"',  # names of groups, which every figure repeats
    r' transform="rotate\(-0 [^)]*\)"',
    r"font-family: [^;\"]*;? ?",  # the text takes the page's font
)


def svg_element(figure: Figure, *, kind: str = "chart", described: str = "") -> Markup:
    """Return a figure as an SVG element for a page.

    The same figure gives the same text. matplotlib escapes what is written inside a figure.

    Args:
        figure: uses the colours of this module only; other colours stay as they are.
        kind: the element's CSS class.
        described: what a screen reader says; without it the element is hidden from screen readers.
    """
    out = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "fedaid"}):
        figure.savefig(out, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    width, height = (round(inches * PER_INCH) for inches in figure.get_size_inches())
    role = f'role="img" aria-label="{escape(described)}"' if described else 'aria-hidden="true"'
    body = out.getvalue().partition("<svg ")[2].partition(">")[2]
    return Markup(f'<svg class="{kind}" viewBox="0 0 {width} {height}" {role}>{_compact(body)}')  # noqa: S704 - escaped


def _compact(body: str) -> str:
    """The inside of an SVG file without what a page does not need, in the page's colours, to a tenth of a unit."""
    for pattern in _REMOVED:
        body = re.sub(pattern, "", body, flags=re.DOTALL)
    for colour, variable in VARIABLES.items():
        body = body.replace(colour, variable)
    body = re.sub(r'="[^"<>]*"', lambda attribute: re.sub(r"(\d\.\d)\d+", r"\1", attribute[0]), body)
    return re.sub(r"\s*\n\s*", " ", body)


def png_address(picture: NDArray[np.floating[Any]]) -> str:
    """Return a picture (S, S) in [0, 1] as a data: address."""
    image = Image.fromarray(np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8))
    out = io.BytesIO()
    image.resize((SHOWN_SIDE, SHOWN_SIDE), Image.Resampling.BILINEAR).save(out, "PNG")
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"
