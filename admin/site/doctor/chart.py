"""Pictures in a page of its own: charts and small radiographs as data: addresses."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from admin.site.doctor.pictures import Picture

BLUE = "#0072B2"
SHOWN_SIDE = 192


def bar_chart(title: str, cells: Mapping[str, int]) -> str:
    """Return a chart of counts by class as a data: address."""
    figure = Figure(figsize=(4.6, 2.8), layout="constrained")
    axes = figure.subplots()
    axes.bar(range(len(cells)), list(cells.values()), color=BLUE)
    axes.set_xticks(range(len(cells)), list(cells), rotation=30, ha="right", fontsize=8)
    axes.set_ylabel("studies")
    axes.set_title(title, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    return _drawn(figure)


def grey_chart(counts: Sequence[int]) -> str:
    """Return the histogram of grey levels as a data: address."""
    figure = Figure(figsize=(4.6, 2.8), layout="constrained")
    axes = figure.subplots()
    shares = np.asarray(counts, dtype=np.float64) / max(1, sum(counts))
    edges = np.linspace(0, 1, len(counts) + 1) if counts else np.linspace(0, 1, 2)
    axes.stairs(shares if counts else [0.0], edges, fill=True, color=BLUE)
    axes.set_xlabel("grey level, 1 = dense")
    axes.set_ylabel("share of pixels")
    axes.set_title("Grey levels of all pictures", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    return _drawn(figure)


def picture_address(picture: Picture) -> str:
    """Return a picture (S, S) in [0, 1] as a data: address."""
    image = Image.fromarray(np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8))
    out = io.BytesIO()
    image.resize((SHOWN_SIDE, SHOWN_SIDE), Image.Resampling.BILINEAR).save(out, "PNG")
    return _address(out.getvalue())


def _drawn(figure: Figure) -> str:
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=100)
    return _address(out.getvalue())


def _address(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
