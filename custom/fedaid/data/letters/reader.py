"""Finds and reads lines of letters with an OCR model (PP-OCRv6 in the package ``rapidocr``, which carries its weights).

The package is imported with the first picture, so that a site that only trains never loads it.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Words(NamedTuple):
    """A line as it was read. Never store or log it.

    Attributes:
        text: of the line.
        score: confidence of the reader, 0 to 1.
        area: of its rectangle in pixels.
    """

    text: str
    score: float
    area: float


SIDE = 960
"""Longest side in pixels at which lines are searched for; they are read at full size."""

LARGEST = 1 << 14
"""A longer picture is scaled down before it is searched."""


@cache
def _engine() -> Any:
    """The model, on one thread; it logs nothing and downloads nothing."""
    from rapidocr import RapidOCR

    one = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    limits = {"Det.limit_type": "max", "Det.limit_side_len": SIDE, "Global.max_side_len": LARGEST}
    return RapidOCR(params={"Global.log_level": "critical", "Global.text_score": 0.0} | one | limits)


def read_words(grey: NDArray[np.uint8]) -> list[Words]:
    """Return the lines of letters in a picture (H, W).

    Args:
        grey: 256 grey levels.
    """
    found = _engine()(grey)
    if getattr(found, "boxes", None) is None or getattr(found, "txts", None) is None:
        return []
    return [
        Words(str(text), float(score), _area(box))
        for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
    ]


def _area(box: NDArray[np.floating]) -> float:
    """The area of a rectangle with corners (4, 2) in order."""
    across, down = np.asarray(box[1] - box[0], dtype=float), np.asarray(box[3] - box[0], dtype=float)
    return float(np.hypot(*across) * np.hypot(*down))
