from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from fedaid.data.site_data import SiteData
from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.batches import plain_batches
from fedaid.training.features import FeatureStore
from fedaid.training.frozen import frozen_encoders


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
    store = FeatureStore(model, site_data.train, batch_size=8)
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
        kept = FeatureStore(model, site_data.train, batch_size=8).of(np.arange(10))
    lengths = [len(ids) for ids in site_data.train.token_ids[:10]]
    assert len(set(lengths)) > 1
    assert kept.mask.sum(1).tolist() == lengths
    assert kept.text.shape[1] == max(lengths)


def test_a_sample_is_computed_once(model: DualEncoder, site_data: SiteData, seen: dict[str, int]) -> None:
    store = FeatureStore(model, site_data.train, batch_size=4)
    with frozen_encoders(model):
        store.of(np.arange(6))
        store.of(np.array([5, 3, 8]))
        store.of(np.arange(9))
    assert seen == {"image": 9, "text": 9}


def test_kept_features_take_no_gradient(model: DualEncoder, site_data: SiteData) -> None:
    kept = FeatureStore(model, site_data.train, batch_size=4).of(np.arange(2))
    assert not kept.image.requires_grad
    assert not kept.text.requires_grad
