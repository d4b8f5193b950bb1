"""Learned positions for another image size."""

from __future__ import annotations

import torch

from fedaid.models.position_grid import interpolated


def test_the_same_size_changes_nothing_but_rounding() -> None:
    positions = torch.randn(1, 1 + 9, 4)
    torch.testing.assert_close(interpolated(positions, 3, old_side=3), positions)


def test_class_tokens_stay_and_a_constant_grid_stays_constant() -> None:
    positions = torch.cat([torch.randn(2, 3), torch.full((16, 3), 0.5)])
    found = interpolated(positions, 6, old_side=4)
    assert found.shape == (2 + 36, 3)
    assert torch.equal(found[:2], positions[:2])
    torch.testing.assert_close(found[2:], torch.full((36, 3), 0.5))


def test_rows_and_columns_are_not_exchanged() -> None:
    grid = torch.arange(4.0)[:, None].expand(4, 4).reshape(16, 1)  # grows from row to row
    found = interpolated(grid, 8, old_side=4).reshape(8, 8)
    assert (found.diff(dim=0)[1:-1] > 0).all()
    torch.testing.assert_close(found, found[:, :1].expand(8, 8))
