"""Learned positions of an image encoder, for another image size."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig

POSITIONS = {
    "vit": "embeddings.position_embeddings",
    "deit": "embeddings.position_embeddings",
    "clip_vision_model": "embeddings.position_embedding.weight",
    "siglip_vision_model": "embeddings.position_embedding.weight",
}
"""Types whose positions are interpolated once, when their weights are loaded; the name of the tensor.

DINOv2 interpolates at each step, and other types work at any size or at one only.
"""


def interpolated(positions: Tensor, side: int, *, old_side: int) -> Tensor:
    """Positions of a square grid for a grid of another side, bicubic as in DINOv2; class tokens before the grid stay.

    Args:
        positions: (K + old_side², F), or the same with a leading dimension of 1.
        side: of the new grid, in patches.
        old_side: of the old grid.

    Returns:
        (K + side², F), with the leading dimension of the argument.
    """
    rows = positions.reshape(-1, positions.shape[-1])
    tokens, grid = rows[: -(old_side**2)], rows[-(old_side**2) :]
    picture = grid.reshape(1, old_side, old_side, -1).permute(0, 3, 1, 2)
    new = functional.interpolate(picture.float(), size=(side, side), mode="bicubic", align_corners=False)
    joined = torch.cat([tokens, new[0].flatten(1).T.to(rows.dtype)])
    return joined.reshape(*positions.shape[:-2], *joined.shape)


def at_size(config: Any, folder: Path, read: Callable[[Any], tuple[Any, dict[str, Any]]]) -> tuple[Any, dict[str, Any]]:
    """The backbone of a folder with the image size of ``config``.

    Args:
        config: of the backbone that is wanted.
        folder: with the weights.
        read: a function of a configuration that reads the weights; returns the backbone and a report.
    """
    given = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    own = getattr(given, "image_size", None)
    if config.model_type not in POSITIONS or own == config.image_size:
        return read(config)
    old = copy.deepcopy(config)
    old.image_size = own
    backbone, report = read(old)
    new: nn.Module = type(backbone)._from_config(config)
    name, state = POSITIONS[config.model_type], backbone.state_dict()
    sides = [size // config.patch_size for size in (config.image_size, own)]
    state[name] = interpolated(state[name], sides[0], old_side=sides[1])
    new.load_state_dict(state, strict=True)
    return new, report
