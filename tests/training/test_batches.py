from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from fedaid.data.dataset import Draw
from fedaid.data.site_data import SiteData
from fedaid.training import batches
from fedaid.training.batches import plain_batches, round_rows, shuffled_rows, training_batches
from fedaid.training.settings import TrainingSettings


def rows_of(data: SiteData, steps: int) -> list[NDArray[np.int64]]:
    return shuffled_rows(len(data.train), batch_size=8, steps=steps, seed=2)


def test_there_are_as_many_batches_as_steps_and_all_are_full() -> None:
    rows = shuffled_rows(10, batch_size=4, steps=7, seed=0)
    assert [len(batch) for batch in rows] == [4] * 7


def test_no_batch_holds_a_study_twice() -> None:
    rows = shuffled_rows(10, batch_size=4, steps=50, seed=0)
    assert all(len(set(batch.tolist())) == 4 for batch in rows)


def test_a_pass_holds_no_study_twice() -> None:
    rows = shuffled_rows(10, batch_size=4, steps=2, seed=0)
    assert len(set(np.concatenate(rows).tolist())) == 8


def test_every_study_is_drawn_in_time() -> None:
    rows = shuffled_rows(10, batch_size=4, steps=20, seed=0)
    assert set(np.concatenate(rows).tolist()) == set(range(10))


def test_the_seed_decides_the_order() -> None:
    first, again, other = (np.concatenate(shuffled_rows(10, batch_size=4, steps=5, seed=seed)) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_no_steps_give_no_batches() -> None:
    assert shuffled_rows(10, batch_size=4, steps=0, seed=0) == []


def test_too_few_studies_are_refused_instead_of_searched_for_ever() -> None:
    with pytest.raises(ValueError, match="fill a batch of 4, got 3"):
        shuffled_rows(3, batch_size=4, steps=1, seed=0)


def test_the_shorter_phase_walks_through_the_first_batches_of_the_longer_one(settings: TrainingSettings) -> None:
    shorter, longer = (round_rows(20, replace(settings, align_steps=2, pretrain_steps=t2), seed=3) for t2 in (1, 5))
    assert [len(shorter), len(longer)] == [2, 5]
    assert all(np.array_equal(a, b) for a, b in zip(shorter, longer, strict=False))


def test_two_workers_give_the_batches_of_none(site_data: SiteData) -> None:
    alone, helped = (
        list(training_batches(site_data.train, rows_of(site_data, 3), seed=5, workers=workers)) for workers in (0, 2)
    )
    assert len(alone) == len(helped) == 3
    for one, other in zip(alone, helped, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_every_draw_has_an_augmentation_of_its_own(site_data: SiteData, monkeypatch: pytest.MonkeyPatch) -> None:
    draws: list[Draw] = []
    monkeypatch.setattr(batches, "load", lambda dataset, rows, **_: draws.extend(d for batch in rows for d in batch))
    training_batches(site_data.train, rows_of(site_data, 9), seed=5)
    assert len({draw.seed for draw in draws}) == len(draws) == 72


def test_another_seed_gives_other_pictures(site_data: SiteData) -> None:
    one, other = (next(training_batches(site_data.train, rows_of(site_data, 1), seed=seed)) for seed in (5, 6))
    assert torch.equal(one.token_ids, other.token_ids)
    assert not torch.equal(one.images, other.images)


def test_plain_batches_keep_the_order_and_the_rest(site_data: SiteData) -> None:
    rows = np.array([4, 0, 3, 1, 2])
    found = list(plain_batches(site_data.train, rows, batch_size=2))
    assert [len(batch.images) for batch in found] == [2, 2, 1]
    texts = [ids[real].tolist() for batch in found for ids, real in zip(batch.token_ids, batch.mask, strict=True)]
    assert texts == [site_data.train.token_ids[row].tolist() for row in rows]


def test_loading_draws_nothing_from_the_generator_of_dropout(site_data: SiteData) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    list(plain_batches(site_data.train, np.arange(8), batch_size=4))
    list(training_batches(site_data.train, rows_of(site_data, 2), seed=5))
    assert torch.equal(torch.get_rng_state(), before)
