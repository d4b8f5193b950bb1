"""One file to what the cache keeps of it: read, checked for its shape, resized."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fedaid.data.image import image_picture
from fedaid.data.resize import fit_square
from fedaid.data.unusable import UnusableStudy

LONGEST_SHAPE = 8  # times as long as wide; a longer strip is no radiograph, and would shrink to nothing


def read_radiograph(path: Path, image_size: int, *, isolated: bool = True) -> NDArray[np.float32]:
    """Return a file's picture at the model's size; a strip is taken for a picture that was cut short.

    Args:
        path: a DICOM, PNG or JPEG file.
        image_size: S in pixels.
        isolated: whether to shield this process from the decoder, see :func:`fedaid.data.dicom.dicom_picture`.

    Returns:
        (S, S) float32 in [0, 1], bright = dense.

    Raises:
        UnusableStudy: with one of the "image-" codes.
    """
    picture = image_picture(path, isolated=isolated)
    if max(picture.shape) > LONGEST_SHAPE * min(picture.shape):
        raise UnusableStudy("image-unreadable")
    return fit_square(picture, image_size)
