from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import NoReturn

import pytest
import torch
from torch import Tensor

from fedaid.errors import InputError
from fedaid.training.feature_cache import FeatureCache

KINDS = (torch.float32, torch.bfloat16, torch.float16, torch.int64)


def some(dtype: torch.dtype, *shape: int) -> Tensor:
    return (torch.randn(*shape, generator=torch.Generator().manual_seed(0)) * 9).to(dtype)


@pytest.mark.parametrize("limit", [0, 2**20])
@pytest.mark.parametrize("dtype", KINDS)
def test_a_tensor_comes_back_bit_for_bit(limit: int, dtype: torch.dtype, tmp_path: Path) -> None:
    cache, one, other = FeatureCache(limit, tmp_path), some(dtype, 3, 4), some(dtype, 5)
    cache[7] = (one, other)
    found = cache[7]
    assert [tensor.dtype for tensor in found] == [dtype, dtype]
    assert torch.equal(found[0], one)
    assert torch.equal(found[1], other)


def test_what_is_above_the_limit_goes_to_disk_and_nothing_else(tmp_path: Path) -> None:
    cache = FeatureCache(100, tmp_path)
    for number in range(4):
        cache[number] = (torch.full((10,), float(number)),)
    assert (cache.in_memory, cache.on_disk) == (80, 80)
    assert [cache[number][0][0].item() for number in range(4)] == [0.0, 1.0, 2.0, 3.0]


def test_the_file_has_no_name_that_anybody_could_open(tmp_path: Path) -> None:
    cache = FeatureCache(0, tmp_path)
    cache[0] = (torch.ones(10),)
    assert list(tmp_path.iterdir()) == []


def test_a_cached_tensor_is_no_view_of_a_larger_one() -> None:
    large = torch.ones(1000, 10)
    cache = FeatureCache(2**20)
    cache[0] = (large[3],)
    assert cache[0][0].untyped_storage().nbytes() == 40


def test_cleared_means_gone(tmp_path: Path) -> None:
    cache = FeatureCache(40, tmp_path)
    cache[0], cache[1] = (torch.ones(10),), (torch.ones(10),)
    cache.clear()
    assert 0 not in cache
    assert (cache.in_memory, cache.on_disk) == (0, 0)
    cache[1] = (torch.zeros(20),)
    assert cache[1][0].sum() == 0


def test_a_full_disk_names_the_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(InputError, match=r"^feature_memory_mb must .* got No space left on device"):
        FeatureCache(0, tmp_path)[0] = (torch.ones(1),)
