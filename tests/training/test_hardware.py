from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from fedaid.data.site_data import SiteData
from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.batches import round_rows
from fedaid.training.features import FeatureStore
from fedaid.training.hardware import accelerate
from fedaid.training.settings import TrainingSettings
from fedaid.training.teacher import frozen_copy
from fedaid.training.trainer import pretrain

SMALL: dict[str, Any] = {"batch_size": 8, "align_steps": 0, "pretrain_steps": 2, "learning_rate": 1e-3}


def losses(model: DualEncoder, data: SiteData, settings: TrainingSettings) -> float:
    rows = round_rows(len(data.train), settings, seed=1)
    store = FeatureStore(accelerate(model, settings), data.train, settings, step_rows=rows)
    return pretrain(model, store, settings, seed=1).contrastive


def test_by_default_nothing_is_done(model: DualEncoder) -> None:
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    assert accelerate(model, TrainingSettings()) is model
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert model._compiled_call_impl is None


def test_channels_last_lays_out_convolutions_and_changes_no_weight(model: DualEncoder) -> None:
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    accelerate(model, TrainingSettings(channels_last=True))
    kernels = [weight for weight in model.parameters() if weight.ndim == 4 and weight.shape[1] > 1]
    assert len(kernels) > 3
    assert all(weight.is_contiguous(memory_format=torch.channels_last) for weight in kernels)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_checkpointing_changes_no_loss(model_options: dict[str, Any], site_data: SiteData) -> None:
    plain, kept = DualEncoder(**model_options), DualEncoder(**model_options)
    expected = losses(plain, site_data, TrainingSettings(**SMALL))
    found = losses(kept, site_data, TrainingSettings(**SMALL, gradient_checkpointing=True, micro_batch_size=8))
    assert found == pytest.approx(expected, abs=1e-6)


def test_checkpoints_within_micro_batches_change_no_loss(model_options: dict[str, Any], site_data: SiteData) -> None:
    plain, kept = DualEncoder(**model_options), DualEncoder(**model_options)
    expected = losses(plain, site_data, TrainingSettings(**SMALL, micro_batch_size=4))
    found = losses(kept, site_data, TrainingSettings(**SMALL, micro_batch_size=4, gradient_checkpointing=True))
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("backend", ["eager", "aot_eager", "inductor"])
def test_the_setting_compiles_the_model_in_place(
    backend: str, model: DualEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []
    wrap: Callable[..., Any] = lambda call, **given: (asked.append(given), call)[1]  # noqa: E731
    monkeypatch.setattr(torch, "compile", wrap)
    names = list(model.state_dict())
    accelerate(model, TrainingSettings(compile_backend=backend))
    assert asked == [{"backend": backend, "dynamic": True}]
    assert list(model.state_dict()) == names
    assert frozen_copy(model)._compiled_call_impl is None


@pytest.mark.slow
def test_a_compiled_model_trains_to_the_same_loss(model_options: dict[str, Any], site_data: SiteData) -> None:
    plain, compiled = DualEncoder(**model_options), DualEncoder(**model_options)
    without_dropout = [module for model in (plain, compiled) for module in model.modules() if hasattr(module, "p")]
    for module in without_dropout:
        module.p = 0.0
    expected = losses(plain, site_data, TrainingSettings(**SMALL))
    found = losses(compiled, site_data, TrainingSettings(**SMALL, compile_backend="aot_eager"))
    assert found == pytest.approx(expected, abs=1e-3)
