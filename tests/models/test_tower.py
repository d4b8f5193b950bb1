from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fedaid.models.tower import AppendedBlock, LastBlock, additive_mask, as_tokens

MASK = torch.tensor([[True, True, False]])


class Recorder(nn.Module):
    """A layer that keeps what it was called with, and answers with a tuple, as some layers do."""

    def forward(self, features: Tensor, *others: Any) -> tuple[Tensor]:
        self.others = others
        return (features + 1,)


def test_the_additive_mask_is_zero_at_real_tokens_and_lowest_at_padding() -> None:
    lowest = torch.finfo(torch.float32).min
    assert additive_mask(MASK, torch.float32).tolist() == [[[[0.0, 0.0, lowest]]]]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_the_additive_mask_is_finite_in_half_precision(dtype: torch.dtype) -> None:
    assert additive_mask(MASK, dtype).isfinite().all()


def test_a_text_layer_gets_the_mask() -> None:
    layer = Recorder()
    LastBlock(layer)(torch.zeros(1, 3, 2), MASK)
    assert layer.others[0].shape == (1, 1, 1, 3)


def test_an_image_layer_gets_no_mask() -> None:
    layer = Recorder()
    LastBlock(layer, takes_mask=False)(torch.zeros(1, 3, 2), MASK)
    assert layer.others == ()


def test_the_norm_follows_the_layer() -> None:
    block = LastBlock(Recorder(), nn.Flatten(start_dim=1))
    assert block(torch.zeros(1, 3, 2)).tolist() == [[1.0] * 6]


def test_an_appended_block_keeps_the_shape() -> None:
    assert AppendedBlock(4, 6)(torch.randn(2, 4, 6)).shape == (2, 4, 6)


@pytest.mark.parametrize(("width", "heads"), [(64, 8), (12, 4), (6, 2), (7, 1)])
def test_an_appended_block_has_as_many_heads_as_divide_the_width(width: int, heads: int) -> None:
    assert AppendedBlock(4, width).layer.self_attn.num_heads == heads


def test_an_appended_block_tells_left_from_right() -> None:
    features, block = torch.randn(1, 4, 8), AppendedBlock(4, 8).eval()
    here, mirrored = block(features).mean(dim=1), block(features.flip(1)).mean(dim=1)
    assert not torch.allclose(here, mirrored, atol=1e-4)


def test_a_feature_map_becomes_tokens_row_by_row() -> None:
    feature_map = torch.arange(12.0).reshape(1, 2, 2, 3)
    assert as_tokens(feature_map)[0, :, 0].tolist() == [0, 1, 2, 3, 4, 5]
    assert as_tokens(feature_map).shape == (1, 6, 2)


def test_tokens_are_passed_through() -> None:
    tokens = torch.randn(2, 5, 3)
    assert as_tokens(tokens) is tokens
