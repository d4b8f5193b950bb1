"""Finds and reads lines of letters with an OCR model (PP-OCRv6 in the package ``rapidocr``, which carries its weights).

The package is imported with the first picture, so that a site that only trains never loads it.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

LEAST_SCORE, LEAST_SIGNS = 0.6, 0.5
"""Of a text that is trusted: least confidence, and least number of signs for each height in the length of the line."""

LEAST_LINE_SCORE, LEAST_LENGTH = 0.7, 2.5
"""Of a line without such a text: least confidence, and least length in heights."""


class Words(NamedTuple):
    """A line as it was read. Never store or log it.

    Attributes:
        text: of the line; empty if it could not be read.
        score: confidence that the text is right, 0 to 1.
        line_score: confidence that this is a line of letters, 0 to 1.
        length: of its rectangle over its height.
        area: of its rectangle in pixels.
    """

    text: str
    score: float
    line_score: float
    length: float
    area: float

    @property
    def is_sure(self) -> bool:
        """Whether the text is probably right."""
        return bool(self.text) and self.score >= LEAST_SCORE and len(self.text) >= LEAST_SIGNS * self.length

    @property
    def is_unread(self) -> bool:
        """Whether this is probably a line of letters whose text is unknown: blurred, or in an unknown script."""
        return not self.is_sure and self.line_score >= LEAST_LINE_SCORE and self.length >= LEAST_LENGTH


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
    """Return the lines of letters in a picture (H, W), with those that cannot be read.

    Args:
        grey: 256 grey levels.
    """
    lines = _engine()(grey, use_det=True, use_cls=False, use_rec=False)
    if getattr(lines, "boxes", None) is None:
        return []
    return [_read(grey, box, float(score)) for box, score in zip(lines.boxes, lines.scores, strict=True)]


def _read(grey: NDArray[np.uint8], box: NDArray[Any], line_score: float) -> Words:
    """Read the line in a rectangle with corners (4, 2) in order."""
    from rapidocr.utils.process_img import get_rotate_crop_image

    corners = np.asarray(box, dtype=np.float32)
    across, down = np.hypot(*(corners[1] - corners[0])), np.hypot(*(corners[3] - corners[0]))
    found = _engine()(get_rotate_crop_image(grey, corners), use_det=False, use_cls=True, use_rec=True)
    text, score = (found.txts[0], found.scores[0]) if getattr(found, "txts", None) else ("", 0.0)
    length = max(across, down) / max(1.0, min(across, down))
    return Words(str(text).strip(), float(score), line_score, float(length), float(across * down))
