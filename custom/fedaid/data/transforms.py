"""MONAI dictionary transforms: from an image file to what the model sees.

They come in two stages. The first is the same every time and its result is kept (see ``cache.py``); the second is
random in training. Nothing mirrors the image: left and right are findings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from monai.transforms import (
    Compose,
    EnsureChannelFirstd,
    EnsureTyped,
    MapTransform,
    NormalizeIntensityd,
    RandAdjustContrastd,
    RandAffined,
    RandGaussianNoised,
    Resized,
    ResizeWithPadOrCropd,
)
from numpy.typing import NDArray

from fedaid.data.image import read_image
from fedaid.data.unusable import UnusableStudy

KEYS = ("image",)
LONGEST_SHAPE = 8  # times as long as wide; a longer strip is no radiograph, and would shrink to nothing


class LoadRadiographd(MapTransform):  # type: ignore[misc]
    """Replaces the path of a DICOM, PNG or JPEG file by its pixels, float32 (H, W) in [0, 1]."""

    def __call__(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Raises ``UnusableStudy`` where a file cannot be used."""
        return dict(data) | {key: read_radiograph(Path(data[key])) for key in self.key_iterator(data)}


def read_radiograph(path: Path) -> NDArray[np.float32]:
    """Pixels of a file; a strip is taken for a picture that was cut short.

    Raises:
        UnusableStudy: where the file cannot be used.
    """
    pixels = read_image(path)
    if max(pixels.shape) > LONGEST_SHAPE * min(pixels.shape):
        raise UnusableStudy("image-unreadable")
    return pixels


def loading(image_size: int) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """Path → float32 tensor (1, S, S) in [0, 1]: the longer side is scaled to S, the shorter is padded with black.

    Reading is no link of the chain: ``Compose`` would turn ``UnusableStudy`` into a ``RuntimeError``.
    """
    read = LoadRadiographd(KEYS)
    fit = Compose(
        [
            EnsureChannelFirstd(KEYS, channel_dim="no_channel"),
            Resized(KEYS, spatial_size=image_size, size_mode="longest", mode="bilinear", anti_aliasing=True),
            ResizeWithPadOrCropd(KEYS, spatial_size=(image_size, image_size)),
            EnsureTyped(KEYS, track_meta=False),
        ]
    )

    def load(data: Mapping[str, Any]) -> Mapping[str, Any]:
        fitted: Mapping[str, Any] = fit(read(data))
        return fitted

    return load


def to_model_range() -> NormalizeIntensityd:
    """[0, 1] → [-1, 1], the mean and deviation of .5 of the released code."""
    return NormalizeIntensityd(KEYS, subtrahend=0.5, divisor=0.5)


def evaluating() -> Compose:
    """(1, S, S) in [0, 1] → (1, S, S) in [-1, 1], nothing random."""
    return Compose([to_model_range(), EnsureTyped(KEYS, track_meta=False)])


def training() -> Compose:
    """(1, S, S) in [0, 1] → (1, S, S) around [-1, 1]: slightly turned, shifted, scaled, other contrast, noise."""
    shift = [0.05, 0.05]
    return Compose(
        [
            RandAffined(
                KEYS,
                prob=0.8,
                rotate_range=[0.12],
                translate_range=shift,
                scale_range=shift,
                mode="bilinear",
                padding_mode="zeros",
            ),
            RandAdjustContrastd(KEYS, prob=0.5, gamma=(0.7, 1.4)),
            to_model_range(),
            RandGaussianNoised(KEYS, prob=0.3, std=0.05),
            EnsureTyped(KEYS, track_meta=False),
        ]
    )
