"""MONAI dictionary transforms: from an image file to what the model sees.

They come in two stages. The first is the same every time and its result is kept (see ``cache.py``); the second is
random in training. Nothing mirrors the image: left and right are findings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from monai.transforms import (
    Compose,
    EnsureTyped,
    MapTransform,
    NormalizeIntensityd,
    RandAdjustContrastd,
    RandAffined,
    RandGaussianNoised,
)

from fedaid.data.radiograph import read_radiograph

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
