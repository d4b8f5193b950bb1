from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from fedaid.data.site_data import SiteData
from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.batches import plain_batches, round_rows, training_batches
from fedaid.training.features import FeatureStore
from fedaid.training.settings import TrainingSettings
from fedaid.training.teacher import FreshTeacher, KeptTeacher
from fedaid.training.trainer import keep_going


@pytest.fixture
def store(model: DualEncoder, site_data: SiteData, settings: TrainingSettings) -> FeatureStore:
    rows = round_rows(len(site_data.train), replace(settings, pretrain_steps=5), seed=3)
    return FeatureStore(model, site_data.train, settings, step_rows=rows)


def test_kept_targets_are_the_models_embeddings_of_the_unaugmented_view(
    model: DualEncoder, store: FeatureStore, settings: TrainingSettings
) -> None:
    teacher = KeptTeacher(model.train(), store, replace(settings, pretrain_steps=5), check=keep_going)
    with torch.no_grad():
        for rows in store.step_rows:
            (plain,) = plain_batches(store.dataset, rows, batch_size=len(rows))
            expected = model.eval()(*plain.inputs)
            for tower, found in zip(expected, teacher(rows, plain.inputs), strict=True):
                torch.testing.assert_close(found, tower, atol=1e-5, rtol=0)


def test_kept_targets_stay_when_the_model_moves(
    model: DualEncoder, store: FeatureStore, settings: TrainingSettings
) -> None:
    teacher = KeptTeacher(model, store, settings, check=keep_going)
    (batch,) = plain_batches(store.dataset, store.step_rows[0], batch_size=8)
    before = [tower.clone() for tower in teacher(store.step_rows[0], batch.inputs)]
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(1.0)
    assert all(torch.equal(a, b) for a, b in zip(before, teacher(store.step_rows[0], batch.inputs), strict=True))


def test_fresh_targets_are_of_the_view_that_the_student_sees(
    model: DualEncoder, store: FeatureStore, settings: TrainingSettings
) -> None:
    batch = next(training_batches(store.dataset, store.step_rows, seed=4))
    found = FreshTeacher(model.train(), replace(settings, micro_batch_size=2))(store.step_rows[0], batch.inputs)
    with torch.no_grad():
        expected = model.eval()(*batch.inputs)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=0)


def test_targets_take_no_gradient(model: DualEncoder, store: FeatureStore, settings: TrainingSettings) -> None:
    (batch,) = plain_batches(store.dataset, store.step_rows[0], batch_size=8)
    for teacher in (FreshTeacher(model, settings), KeptTeacher(model, store, settings, check=keep_going)):
        assert not any(tower.requires_grad for tower in teacher(store.step_rows[0], batch.inputs))


def test_an_abort_is_heard_before_every_part_of_the_kept_targets(
    model: DualEncoder, store: FeatureStore, settings: TrainingSettings
) -> None:
    calls: list[int] = []
    KeptTeacher(model, store, replace(settings, pretrain_steps=5), check=lambda: calls.append(0))
    assert len(calls) == len(store.chunks(np.concatenate(store.step_rows)))
