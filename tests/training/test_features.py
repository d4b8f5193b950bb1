from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from fedaid.data.site_data import SiteData
from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.batches import plain_batches, shuffled_rows
from fedaid.training.features import MANY, FeatureStore, encoded_together, first_visits
from fedaid.training.settings import TrainingSettings
from fedaid.training.teacher import KeptTeacher, frozen_encoders


def store_of(model: DualEncoder, data: SiteData, *step_rows: Any, size: int, **changes: Any) -> FeatureStore:
    return FeatureStore(model, data.train, TrainingSettings(batch_size=size, **changes), step_rows=step_rows)


@pytest.fixture
def seen(model: DualEncoder, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Samples that each encoder was asked for."""
    counts = {"image": 0, "text": 0}
    image_features, text_features = model.image_features, model.text_features

    def image(images: Tensor) -> Tensor:
        counts["image"] += len(images)
        return image_features(images)

    def text(token_ids: Tensor, mask: Tensor) -> Tensor:
        counts["text"] += len(token_ids)
        return text_features(token_ids, mask)

    monkeypatch.setattr(model, "image_features", image)
    monkeypatch.setattr(model, "text_features", text)
    return counts


def fresh(model: DualEncoder, data: SiteData, rows: Any) -> tuple[Tensor, list[Tensor]]:
    """Encoder outputs of one sample at a time, without any padding."""
    batches = list(plain_batches(data.train, rows, batch_size=1))
    with torch.no_grad():
        images = torch.cat([model.image_features(batch.images) for batch in batches])
        return images, [model.text_features(batch.token_ids, batch.mask)[0] for batch in batches]


def test_kept_features_equal_freshly_computed_ones(model: DualEncoder, site_data: SiteData) -> None:
    store = store_of(model, site_data, np.arange(16), size=8)
    with frozen_encoders(model):
        store.of(np.arange(12))
        rows = np.array([11, 2, 7])
        kept = store.of(rows)
        images, texts = fresh(model, site_data, rows)
    assert torch.allclose(kept.image, images, atol=1e-6)
    for row, text in enumerate(texts):
        assert torch.allclose(kept.text[row][kept.mask[row]], text, atol=1e-6)


def test_the_mask_is_true_at_exactly_the_real_tokens(model: DualEncoder, site_data: SiteData) -> None:
    with frozen_encoders(model):
        kept = store_of(model, site_data, np.arange(16), size=8).of(np.arange(10))
    lengths = [len(ids) for ids in site_data.train.token_ids[:10]]
    assert len(set(lengths)) > 1
    assert kept.mask.sum(1).tolist() == lengths
    assert kept.text.shape[1] == max(lengths)


def test_a_sample_is_computed_once(model: DualEncoder, site_data: SiteData, seen: dict[str, int]) -> None:
    store = store_of(model, site_data, np.arange(4), np.array([1, 4, 5, 6]), np.array([0, 2, 7, 8]), size=4)
    with frozen_encoders(model):
        for rows in store.step_rows:
            store.of(rows)
        store.of(np.arange(9))
    assert seen == {"image": 9, "text": 9}


def test_only_what_is_asked_for_is_computed(model: DualEncoder, site_data: SiteData, seen: dict[str, int]) -> None:
    store = store_of(model, site_data, np.arange(8), np.arange(8, 16), size=4)
    with frozen_encoders(model):
        store.of(np.array([9]))
    assert seen == {"image": 4, "text": 4}


def test_a_lost_store_gives_the_same_bits_again(model: DualEncoder, site_data: SiteData) -> None:
    """However it is asked: what is computed together follows from the rows of the steps."""
    step_rows = shuffled_rows(len(site_data.train), batch_size=8, steps=6, seed=0)
    whole, late = store_of(model, site_data, *step_rows, size=8), store_of(model, site_data, *step_rows, size=8)
    with frozen_encoders(model):
        for rows in step_rows:
            whole.of(rows)
        for one, other in zip(whole.of(step_rows[-1]), late.of(step_rows[-1]), strict=True):
            assert torch.equal(one, other)


def test_on_disk_or_in_memory_features_are_the_same_bits(model: DualEncoder, site_data: SiteData) -> None:
    rows = np.arange(12)
    held, spilt = (store_of(model, site_data, rows, size=4, feature_memory_mb=limit) for limit in (512, 0))
    with frozen_encoders(model):
        for one, other in zip(held.of(rows), spilt.of(rows), strict=True):
            assert torch.equal(one, other)


def test_what_is_asked_for_once_is_not_kept(model: DualEncoder, site_data: SiteData, seen: dict[str, int]) -> None:
    store = store_of(model, site_data, np.arange(8), size=4)
    with frozen_encoders(model):
        store.of(np.array([0]))
        for chunk in store.chunks(np.arange(8)):
            store.once(chunk)
            store.once(chunk)
    assert seen["image"] == 4 + 2 * 4


def test_what_is_prepared_is_there_and_nothing_goes_to_the_disk_for_it(
    model: DualEncoder, site_data: SiteData, seen: dict[str, int]
) -> None:
    rows = np.arange(8)
    roomy, full = (store_of(model, site_data, rows, size=4, feature_memory_mb=limit) for limit in (512, 0))
    with frozen_encoders(model):
        for store in (roomy, full):
            store.of(np.array([0]))
            store.prepare(rows, check=lambda: None)
        assert seen["image"] == 8 + 4
        roomy.prepare(rows, check=lambda: pytest.fail("there is nothing to do"))
        roomy.once(rows[4:])
    assert seen["image"] == 8 + 4


def test_kept_features_take_no_gradient(model: DualEncoder, site_data: SiteData) -> None:
    kept = store_of(model, site_data, np.arange(16), size=4).of(np.arange(2))
    assert not kept.image.requires_grad
    assert not kept.text.requires_grad


def test_each_row_is_new_in_its_first_batch() -> None:
    new = first_visits([np.array([3, 1, 2]), np.array([1, 5, 3]), np.array([2, 1, 5])])
    assert [rows.tolist() for rows in new] == [[3, 1, 2], [5], []]


PLAN = [np.array([3, 1]), np.array([1, 5]), np.array([2, 0]), np.array([4, 6])]
LENGTHS = np.array([9, 1, 7, 1, 7, 1, 3])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"align_steps": 2}, [[3, 1], [5], [6, 2, 4, 0]]),
        ({"align_steps": 1, "batch_size": 4, "micro_batch_size": 2}, [[3, 1], [5, 6], [2, 4], [0]]),
        ({"align_steps": 0}, [[3, 1, 5, 6, 2, 4, 0]]),
        ({"align_steps": 9}, [[3, 1], [5], [2, 0], [4, 6]]),
    ],
)
def test_what_the_alignment_phase_does_not_ask_for_is_encoded_by_length(
    changes: dict[str, Any], expected: list[list[int]]
) -> None:
    settings = TrainingSettings(**{"batch_size": 2} | changes)
    assert [chunk.tolist() for chunk in encoded_together(PLAN, settings, lengths=LENGTHS)] == expected


def test_rows_of_one_part_are_no_more_than_are_wanted_at_once() -> None:
    rows = np.arange(600)
    for batch_size, most in ((2, MANY), (300, 300)):
        settings = TrainingSettings(batch_size=batch_size, align_steps=0)
        chunks = encoded_together([rows], settings, lengths=np.ones(600, np.int64))
        assert max(map(len, chunks)) == most


def test_the_teacher_embeds_what_is_encoded_by_length_as_the_plain_model_does(
    model: DualEncoder, site_data: SiteData
) -> None:
    """To 1e-5, and a store that was lost gives the same bits."""
    step_rows = shuffled_rows(len(site_data.train), batch_size=8, steps=3, seed=0)
    settings = TrainingSettings(batch_size=8, align_steps=1, pretrain_steps=3)
    used, lost = (FeatureStore(model, site_data.train, settings, step_rows=step_rows) for _ in range(2))
    rows = np.concatenate(step_rows)
    with frozen_encoders(model):
        used.of(step_rows[0])
        used.prepare(rows, check=lambda: None)
    one, other = (KeptTeacher(model, store, settings, check=lambda: None)(rows) for store in (used, lost))
    (batch,) = plain_batches(site_data.train, rows, batch_size=len(rows))
    with torch.no_grad():
        expected = model(*batch.inputs)
    for tower in range(2):
        assert torch.equal(one[tower], other[tower])
        assert torch.allclose(one[tower], expected[tower], atol=1e-5)
