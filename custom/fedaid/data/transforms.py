"""The MONAI dictionary transform from an image file to a square picture.

It is the same every time and its result is kept (see ``cache.py``); what is random in training comes after it, see
``augmentation.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from monai.transforms import MapTransform

from fedaid.data.pixels.image import read_radiograph

KEYS = ("image",)


class LoadRadiographd(MapTransform):  # type: ignore[misc]
    """Replaces the path of a DICOM, PNG or JPEG file by its picture, float32 (1, S, S) in [0, 1]."""

    def __init__(self, keys: Sequence[str], image_size: int) -> None:
        super().__init__(keys)
        self._image_size = image_size

    def __call__(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Raises ``UnusableStudy`` where a file cannot be used."""
        read = {key: read_radiograph(Path(data[key]), self._image_size) for key in self.key_iterator(data)}
        return dict(data) | {key: torch.from_numpy(picture)[None] for key, picture in read.items()}


def loading(image_size: int) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """Path → float32 tensor (1, S, S) in [0, 1]: the longer side is scaled to S, the shorter is padded with black.

    It is no ``Compose``, which would turn ``UnusableStudy`` into a ``RuntimeError``.
    """
    load: Callable[[Mapping[str, Any]], Mapping[str, Any]] = LoadRadiographd(KEYS, image_size)
    return load
