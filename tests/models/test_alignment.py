from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from fedaid.models.dual_encoder import AlignmentModule
from fedaid.models.pooling import masked_mean


class Identity(nn.Module):
    def forward(self, features: Tensor, mask: Tensor | None = None) -> Tensor:
        return features


@pytest.fixture
def module() -> AlignmentModule:
    torch.manual_seed(0)
    return AlignmentModule(Identity(), width=6, hidden=10, embedding_dim=4)


def test_the_mean_is_taken_over_real_tokens_only() -> None:
    features = torch.tensor([[[1.0], [3.0], [99.0]], [[2.0], [4.0], [6.0]]])
    mask = torch.tensor([[True, True, False], [True, True, True]])
    assert masked_mean(features, mask).tolist() == [[2.0], [4.0]]


def test_without_a_mask_all_tokens_are_real() -> None:
    assert masked_mean(torch.tensor([[[1.0], [3.0]]]), None).tolist() == [[2.0]]


def test_nan_at_padding_has_no_influence() -> None:
    features = torch.tensor([[[1.0], [torch.nan]]])
    assert masked_mean(features, torch.tensor([[True, False]])).tolist() == [[1.0]]


def test_a_row_of_padding_only_gives_zero() -> None:
    assert masked_mean(torch.ones(1, 2, 1), torch.zeros(1, 2, dtype=torch.bool)).tolist() == [[0.0]]


def test_embeddings_have_unit_norm(module: AlignmentModule) -> None:
    embeddings = module(torch.randn(5, 3, 6))
    assert embeddings.shape == (5, 4)
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(5))


def test_features_at_padding_have_no_influence(module: AlignmentModule) -> None:
    features, mask = torch.randn(2, 3, 6), torch.tensor([[True, True, False], [True, False, False]])
    other = torch.where(mask[..., None], features, 7.0)
    torch.testing.assert_close(module(other, mask), module(features, mask))


def test_the_block_and_the_head_are_the_whole_state(module: AlignmentModule) -> None:
    assert {name.split(".")[0] for name in module.state_dict()} == {"projection"}  # this block has no weights
