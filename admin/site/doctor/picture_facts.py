"""What the doctor measures of one picture; the picture itself is not kept."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from admin.site.doctor.chest_template import Pose, lungs_of, pose_of

HASH_SIDE = 16
TOP = 0.995
BINS = 32
FLAT = 0.03
"""A row is flat if the standard deviation of its grey levels is below this."""


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """Measures of one picture.

    Attributes:
        pose: how it lies.
        clipped: share of its pixels at the highest value, 0 to 1.
        aspect: its longer side over its shorter one, without padding.
        fingerprint: 256 bits that are equal for equal pictures and differ in few for nearly equal ones.
    """

    pose: Pose
    clipped: float
    aspect: float
    fingerprint: int = field(repr=False)


def measured(picture: NDArray[np.floating]) -> PictureFacts:
    """Return the facts of a picture (S, S) in [0, 1], padded with 0."""
    content = without_padding(picture)
    height, width = content.shape
    return PictureFacts(
        pose=pose_of(without_bands(content))._replace(lungs=lungs_of(content)),
        clipped=float((content >= TOP).mean()),
        aspect=max(height, width) / min(height, width),
        fingerprint=fingerprint(content),
    )


def without_padding(picture: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the picture without rows and columns of zeros at its edges; as it is if there is nothing else."""
    rows, columns = np.flatnonzero(picture.any(axis=1)), np.flatnonzero(picture.any(axis=0))
    if not len(rows):
        return picture
    return picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def without_bands(picture: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the picture without the flat rows and columns at its edges: frames, and what collimation left dark."""
    content = picture
    for _ in range(4):  # rows and columns in turn, as a band may lie inside of a frame
        uneven = np.flatnonzero(np.asarray(content, dtype=np.float64).std(axis=1) > FLAT)
        if len(uneven) < len(content) / 2:  # there is nothing but bands
            return picture
        content = content[uneven[0] : uneven[-1] + 1].T
    return content


def fingerprint(picture: NDArray[np.floating]) -> int:
    """Return a difference hash: for each of 16 x 16 places whether the picture gets brighter to the right."""
    size = (HASH_SIDE + 1, HASH_SIDE)
    small = Image.fromarray(np.asarray(picture, dtype=np.float32)).resize(size, Image.Resampling.BOX)
    bits = np.diff(np.asarray(small), axis=1) > 0
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def grey_counts(picture: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the number of pixels in each of `BINS` equal bins of [0, 1], padding left out."""
    counts, _ = np.histogram(without_padding(picture), bins=BINS, range=(0.0, 1.0))
    return np.asarray(counts, dtype=np.int64)
