"""What the doctor measures of one picture; the picture itself is not kept."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from admin.site.films.chest_template import Pose, lungs_of, pose_of
from admin.site.films.picture_edges import without_bands, without_padding

HASH_SIDE = 16
TOP = 0.995
BINS = 32


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
