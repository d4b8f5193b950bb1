"""A radiograph from a file of any accepted format. The content decides the format, not the name."""

from __future__ import annotations

import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fedaid.data.pixels.colour import grey_of_channels
from fedaid.data.pixels.dicom import dicom_picture
from fedaid.data.pixels.grey_picture import Film, grey_picture
from fedaid.data.pixels.intensity import MAX_PIXELS
from fedaid.data.pixels.resize import fit_square
from fedaid.data.unusable import UnusableStudy

_PICTURE_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_BARE_DICOM_MAGIC = (b"\x02\0", b"\x08\0", b"\0\x02", b"\0\x08")  # groups 0002 and 0008: an object without preamble
_BROKEN = (OSError, SyntaxError, ValueError, TypeError, EOFError, LookupError, OverflowError, struct.error, zlib.error)


def read_image(path: Path) -> NDArray[np.float32]:
    """Return all rows of :func:`image_picture`, (H, W) float32 in [0, 1]."""
    return image_picture(path).picture[:]


def image_picture(path: Path) -> Film:
    """Return the image of a DICOM, PNG (8 or 16 bits) or JPEG file.

    A PNG or JPEG is assumed to be bright where the patient is dense, as exported radiographs are. Equal channels are
    averaged. An image with real colour is refused, because it is a photograph or an annotated screenshot. An alpha
    channel and an EXIF orientation are ignored.

    Args:
        path: the file; for a DICOM file see the warning of :func:`fedaid.data.pixels.dicom.dicom_picture`.

    Returns:
        (H, W) in [0, 1], bright = dense, and the shape of its pixels; those of a PNG or JPEG count as square.

    Raises:
        UnusableStudy: with one of the "image-" codes.
    """
    if is_dicom(path):
        return dicom_picture(path)
    return Film(grey_picture(_stored(path)))


def is_dicom(path: Path) -> bool:
    """Return whether a file is DICOM; otherwise it is a PNG or JPEG.

    Raises:
        UnusableStudy: "image-missing", "image-unreadable", or "image-unsupported" for another format.
    """
    try:
        if not path.is_file():  # a search for images names a folder that it could not list
            raise UnusableStudy("image-unreadable" if path.is_dir() else "image-missing")
        with path.open("rb") as file:
            head = file.read(132)
    except OSError:
        raise UnusableStudy("image-unreadable") from None
    if head[128:132] == b"DICM":
        return True
    if head.startswith(_PICTURE_MAGIC):
        return False
    if head.startswith(_BARE_DICOM_MAGIC):
        return True
    raise UnusableStudy("image-unsupported")


def _stored(path: Path) -> NDArray[Any]:
    """The (H, W) levels of a PNG or JPEG."""
    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # the limit below is lower
    try:
        with Image.open(path, formats=("PNG", "JPEG")) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UnusableStudy("image-too-large")
            if getattr(image, "n_frames", 1) > 1:
                raise UnusableStudy("image-multiframe")
            return _grey(image)
    except (Image.DecompressionBombError, MemoryError):
        raise UnusableStudy("image-too-large") from None
    except _BROKEN:
        raise UnusableStudy("image-unreadable") from None


def _grey(image: Image.Image) -> NDArray[Any]:
    """The (H, W) levels of an opened image, without its alpha channel."""
    if image.mode in ("1", "L", "LA"):
        return np.asarray(image.convert("L"))
    if image.mode == "I" or image.mode.startswith("I;16"):
        return np.asarray(image)
    return grey_of_channels(np.asarray(image.convert("RGB"), dtype=np.int16))


LONGEST_SHAPE = 8  # largest ratio of the sides; a longer strip is not a radiograph


def read_radiograph(path: Path, image_size: int) -> NDArray[np.float32]:
    """Return :func:`radiograph_picture` at the model's size, with square pixels, (S, S) float32 in [0, 1].

    Args:
        path: a DICOM, PNG or JPEG file.
        image_size: S in pixels.
    """
    picture, pixel_height = radiograph_picture(path)
    return fit_square(picture, image_size, pixel_height=pixel_height)


def radiograph_picture(path: Path) -> Film:
    """Return the full image of a file; a narrow strip is refused as cut short.

    Args:
        path: a DICOM, PNG or JPEG file.

    Returns:
        (H, W) in [0, 1], bright = dense, and the shape of its pixels.

    Raises:
        UnusableStudy: with one of the "image-" codes.
    """
    film = image_picture(path)
    sides = (film.picture.shape[0] * film.pixel_height, film.picture.shape[1])
    if max(sides) > LONGEST_SHAPE * min(sides):
        raise UnusableStudy("image-unreadable")
    return film
