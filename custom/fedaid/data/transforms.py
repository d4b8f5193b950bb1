"""MONAI dictionary transforms: from an image file to what the model sees.

They come in two stages. The first is the same every time and its result is kept (see ``cache.py``); the second is
random in training. Nothing mirrors the image: left and right are findings.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

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

from fedaid.data.image import read_image

KEYS = ("image",)


class LoadRadiographd(MapTransform):  # type: ignore[misc]
    """Replaces the path of a DICOM, PNG or JPEG file by its pixels, float32 (H, W) in [0, 1]."""

    def __call__(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Raises ``UnusableStudy`` where a file cannot be used."""
        return dict(data) | {key: read_image(Path(data[key])) for key in self.key_iterator(data)}


def loading(image_size: int) -> Compose:
    """Path → float32 tensor (1, S, S) in [0, 1]: the longer side is scaled to S, the shorter is padded with black."""
    return Compose(
        [
            LoadRadiographd(KEYS),
            EnsureChannelFirstd(KEYS, channel_dim="no_channel"),
            Resized(KEYS, spatial_size=image_size, size_mode="longest", mode="bilinear", anti_aliasing=True),
            ResizeWithPadOrCropd(KEYS, spatial_size=(image_size, image_size)),
            EnsureTyped(KEYS, track_meta=False),
        ]
    )


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
