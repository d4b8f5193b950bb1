"""The scale of grey values that a pretrained image encoder was trained with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from fedaid.errors import InputError, require
from fedaid.models.local_folder import read_json

MEAN, STD = "pixel_mean", "pixel_std"
PROCESSOR, BOTH_PROCESSORS = "preprocessor_config.json", "processor_config.json"
RESCALE, NORMALIZE = "do_rescale", "do_normalize"
OTHERWISE = ("rescale_offset", "offset", "do_flip_channel_order")
"""Settings of an image processor that mean and deviation cannot say."""
STATE_IT = "State pixel_mean and pixel_std in the job, beside the encoder's name."


class PixelScale(NamedTuple):
    """Mean and standard deviation of each channel, for grey values from 0 to 1."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    @property
    def described(self) -> dict[str, list[float]]:
        """As options of an encoder, plain JSON."""
        return {MEAN: list(self.mean), STD: list(self.std)}


class ScaledPixels(nn.Module):
    """Images (B, 1, H, W) in [-1, 1] → (B, C, H, W), each channel with its mean and standard deviation.

    The two numbers of a channel are part of the model's configuration, not of its state.
    """

    factor: Tensor
    offset: Tensor

    def __init__(self, scale: PixelScale) -> None:
        super().__init__()
        self.scale = scale
        mean, std = (torch.tensor(values)[None, :, None, None] for values in scale)
        self.register_buffer("factor", 0.5 / std, persistent=False)
        self.register_buffer("offset", (0.5 - mean) / std, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """((images + 1) / 2 - mean) / std."""
        return images * self.factor + self.offset


def given_scale(mean: Any, std: Any, *, where: str) -> PixelScale:
    """The scale that a job or a file states.

    Raises:
        InputError: if these are not lists of one to three finite numbers, or a standard deviation is not above 0.
    """
    for name, values in ((MEAN, mean), (STD, std)):
        ok = isinstance(values, Sequence) and not isinstance(values, str) and 1 <= len(values) <= 3
        ok = ok and all(map(_is_number, values))
        ok = ok and (name == MEAN or min(values) > 0)
        rule = "be a list of one to three numbers" + (" above 0" if name == STD else "")
        require(ok, name, rule, got=repr(values)[:60], where=where, remedy="See the encoder's model card.")
    scale = PixelScale(tuple(map(float, mean)), tuple(map(float, std)))
    rule, got = "have as many numbers as pixel_std", f"{len(mean)} and {len(std)}"
    require(len(mean) == len(std), MEAN, rule, got=got, where=where, remedy="See the encoder's model card.")
    return scale


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def folder_scale(folder: Path) -> PixelScale:
    """The scale that ``preprocessor_config.json`` of a folder states, or the image processor of a pair's file.

    Raises:
        InputError: without this file, or if it does not say which numbers the encoder takes.
    """
    given, where = _settings(folder), f"$FEDAID_MODELS/{folder.name}"
    odd = [name for name in OTHERWISE if given.get(name)]
    rule = "scale grey values by a factor, in the order of red, green and blue"
    require(not odd, "image_encoder", rule, got=str(odd), where=where, remedy=STATE_IT)
    for name in (RESCALE, NORMALIZE):
        value = given.get(name, True)
        require(isinstance(value, bool), name, "be true or false", got=repr(value), where=where, remedy=STATE_IT)
    unit = 255 * _factor(given, where)  # the value of white before mean and deviation
    mean, std = ([0.0], [1.0])
    if given.get(NORMALIZE, True):
        lacking = [name for name in ("image_mean", "image_std") if given.get(name) is None]
        require(not lacking, "image_encoder", "state its scale", got=f"no {lacking}", where=where, remedy=STATE_IT)
        mean, std = given["image_mean"], given["image_std"]
    scale = given_scale(mean, std, where=f"{where}/{PROCESSOR}")
    clear, rule = given.get(RESCALE, True) or max(*scale.mean, *scale.std) > 1, "say where grey values end, at 1 or 255"
    got = f"{RESCALE} false with mean {mean} and deviation {std}"
    require(clear, "image_encoder", rule, got=got, where=where, remedy=STATE_IT)
    return PixelScale(tuple(v / unit for v in scale.mean), tuple(v / unit for v in scale.std))


def _settings(folder: Path) -> dict[str, Any]:
    if not (folder / PROCESSOR).is_file():
        inside = read_json(folder / BOTH_PROCESSORS).get("image_processor")
        where = f"$FEDAID_MODELS/{folder.name}"
        remedy = 'Copy that file there, or state it: {"name": "local:FOLDER", "pixel_mean": [0.5], "pixel_std": [0.5]}.'
        if not isinstance(inside, dict):
            raise InputError("image_encoder", f"have a {PROCESSOR}", got="no such file", where=where, remedy=remedy)
        return inside
    return read_json(folder / PROCESSOR)


def _factor(given: dict[str, Any], where: str) -> float:
    factor = given.get("rescale_factor", 1 / 255) if given.get(RESCALE, True) else 1
    ok = _is_number(factor) and factor > 0
    require(ok, "rescale_factor", "be a number above 0", got=repr(factor)[:60], where=where, remedy=STATE_IT)
    return float(factor)
