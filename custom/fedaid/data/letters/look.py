"""Looks for letters in a full picture, and says whether they may identify the patient.

Only a flag and a share are returned. What was read is gone with the function.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from fedaid.data.letters.letters import OCR, Letters
from fedaid.data.letters.markers import identifies
from fedaid.data.letters.screen import Grey, Place, Sensitivity, full_grey, places
from fedaid.data.pixels.grey_picture import Picture

SURE = Sensitivity(contrast=20, strokes=7.6)
SENSITIVE = Sensitivity(contrast=20, strokes=6.0)
SMALLEST, LEAST_SIDE = 64, 192
"""Lengths of the longer side in pixels: nobody looks at a smaller picture; "no letters" is never said of one."""

MOST_PLACES = 8
"""More places are not read one by one: the quarters of the picture are read."""

MARGIN = 60
"""Least margin around a place, as this part of the picture's longer side; a letter high at least."""

TALL = 2
"""A place is tall if its height is more than this many times its width."""


def letters_in(picture: Picture, how: str) -> Letters:
    """Return what is seen of letters in a picture (H, W).

    Args:
        picture: in [0, 1].
        how: "quick" or "ocr", see :data:`fedaid.data.letters.letters.WAYS`.
    """
    if max(picture.shape) < SMALLEST:
        return Letters(found=False, share=0.0, seen=False)
    cv2.setNumThreads(1)
    grey = full_grey(picture)
    covered = _named(grey, places(grey, SENSITIVE)) if how == OCR else sum(place.area for place in places(grey, SURE))
    share = min(1.0, covered / grey.size)
    return Letters(covered > 0, round(share, 6), max(picture.shape) >= LEAST_SIDE)


def _named(grey: Grey, proposed: list[Place]) -> float:
    """The area of the lines, in the proposed places, that may identify a person; what cannot be read may."""
    from fedaid.data.letters.reader import read_words

    covered = 0.0
    for place in proposed if len(proposed) <= MOST_PLACES else _quarters(grey):
        for part in _ways(_with_margin(grey, place)):
            lines = [line for line in read_words(part) if line.is_sure or line.is_unread]
            if any(line.is_unread for line in lines) or identifies([line.text for line in lines]):
                covered += sum(line.area for line in lines)
                break
    return covered


def _ways(part: Grey) -> list[Grey]:
    """The ways to read a place: as it is; a tall one also turned, or its letters would be read one by one."""
    tall = part.shape[0] > TALL * part.shape[1]
    return [np.ascontiguousarray(np.rot90(part)), part] if tall else [part]


def _with_margin(grey: Grey, place: Place) -> Grey:
    """The pixels of a place, with some of what surrounds it."""
    margin = max(max(grey.shape) // MARGIN, min(place.bottom - place.top, place.right - place.left))
    rows = slice(max(0, place.top - margin), place.bottom + margin)
    return grey[rows, max(0, place.left - margin) : place.right + margin]


def _quarters(grey: Grey) -> list[Place]:
    """The four quarters of a picture."""
    height, width = grey.shape
    rows, columns = ((0, length // 2, length) for length in (height, width))
    return [Place(top, left, bottom, right) for top, bottom in pairwise(rows) for left, right in pairwise(columns)]
