from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from fedaid.data.site_data import SiteData
from fedaid.losses.contrastive import info_nce_loss
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.tensor_names import is_alignment
from fedaid.training import teacher as teachers_room
from fedaid.training import trainer as phases
from fedaid.training.batches import round_rows, training_batches
from fedaid.training.features import FeatureStore
from fedaid.training.settings import TrainingSettings
from fedaid.training.teacher import encoders, frozen_copy
from fedaid.training.trainer import PhaseLosses


def store(model: DualEncoder, data: SiteData, settings: TrainingSettings) -> FeatureStore:
    rows = round_rows(len(data.train), settings, seed=11)
    return FeatureStore(model, data.train, settings, step_rows=rows)


def pretrain(model: DualEncoder, data: SiteData, settings: TrainingSettings, **given: Any) -> PhaseLosses:
    return phases.pretrain(model, store(model, data, settings), settings, **given)


def train_alignment(model: DualEncoder, data: SiteData, settings: TrainingSettings, **given: Any) -> PhaseLosses:
    return phases.train_alignment(model, store(model, data, settings), settings, **given)


def state(model: DualEncoder) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def moved(before: dict[str, Tensor], model: DualEncoder) -> set[str]:
    return {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}


@pytest.fixture
def teachers(monkeypatch: pytest.MonkeyPatch) -> list[DualEncoder]:
    """Every teacher that a test makes."""
    made: list[DualEncoder] = []

    def remember(model: DualEncoder) -> DualEncoder:
        made.append(frozen_copy(model))
        return made[-1]

    monkeypatch.setattr(teachers_room, "frozen_copy", remember)
    return made


class Quiet(DualEncoder):
    """A model that stays in evaluation mode: no dropout, no batch statistics."""

    def train(self, mode: bool = True) -> Quiet:
        return super().train(False)


@pytest.fixture
def quiet_model(model_options: dict[str, Any]) -> Quiet:
    return Quiet(**model_options)


def test_alignment_moves_alignment_tensors_and_nothing_else(
    model: DualEncoder, site_data: SiteData, settings: TrainingSettings
) -> None:
    before = state(model)
    buffers = [name for name in before if "running_mean" in name]
    train_alignment(model, site_data, settings, seed=1)
    changed = moved(before, model)
    assert len(buffers) > 3
    assert changed
    assert all(is_alignment(name) for name in changed)
    assert {name.split(".")[0] for name in changed} == {"image", "text", "log_logit_scale"}


def test_encoders_are_in_evaluation_mode_during_alignment(
    model: DualEncoder, site_data: SiteData, settings: TrainingSettings
) -> None:
    modes: list[bool] = []

    def check() -> None:
        modes.extend(module.training for encoder in encoders(model) for module in encoder.modules())

    train_alignment(model, site_data, settings, seed=1, check=check)
    assert len(modes) > 20
    assert not any(modes)


def test_no_alignment_steps_move_nothing(model: DualEncoder, site_data: SiteData, settings: TrainingSettings) -> None:
    before = state(model)
    losses = train_alignment(model, site_data, replace(settings, align_steps=0), seed=1)
    assert moved(before, model) == set()
    assert losses.contrastive == 0.0


def test_pretraining_moves_both_towers(model: DualEncoder, site_data: SiteData, settings: TrainingSettings) -> None:
    before = state(model)
    pretrain(model, site_data, settings, seed=1)
    parts = {".".join(name.split(".")[:2]) for name in moved(before, model)}
    assert parts == {"image.encoder", "image.alignment", "text.encoder", "text.alignment", "log_logit_scale"}


def test_no_forward_pass_of_training_holds_gradients_of_the_step_before(
    model: DualEncoder, site_data: SiteData, settings: TrainingSettings
) -> None:
    held: list[int] = []
    model.register_forward_pre_hook(lambda *_: held.append(sum(p.grad is not None for p in model.parameters())))
    pretrain(model, site_data, settings, seed=1)
    assert len(held) >= settings.pretrain_steps > 1
    assert not any(held)


@pytest.mark.parametrize("phase", [pretrain, train_alignment])
def test_after_a_phase_neither_gradients_nor_moments_are_left(
    phase: Callable[..., PhaseLosses],
    model: DualEncoder,
    site_data: SiteData,
    settings: TrainingSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[torch.optim.AdamW] = []

    class Noted(torch.optim.AdamW):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            made.append(self)

    monkeypatch.setattr(torch.optim, "AdamW", Noted)
    phase(model, site_data, settings, seed=1)
    assert [len(one.state) for one in made] == [0]
    assert all(weight.grad is None for weight in model.parameters())


def test_the_teacher_does_not_change_by_one_bit_and_gets_no_gradient(
    model: DualEncoder, site_data: SiteData, settings: TrainingSettings, teachers: list[DualEncoder]
) -> None:
    before = state(model)
    pretrain(model, site_data, replace(settings, teacher_view="fresh"), seed=1)
    (teacher,) = teachers
    assert moved(before, teacher) == set()
    assert all(weight.grad is None for weight in teacher.parameters())
    assert moved(before, model)


def test_the_kept_view_needs_no_second_model(
    model: DualEncoder, site_data: SiteData, settings: TrainingSettings, teachers: list[DualEncoder]
) -> None:
    assert pretrain(model, site_data, settings, seed=1).binding > 0
    assert teachers == []


def test_without_binding_there_is_no_teacher(
    model: DualEncoder, site_data: SiteData, settings: TrainingSettings, teachers: list[DualEncoder]
) -> None:
    losses = pretrain(model, site_data, replace(settings, binding_weight=0.0, teacher_view="fresh"), seed=1)
    assert teachers == []
    assert losses.binding == 0.0


def test_the_student_starts_as_the_teacher(
    quiet_model: DualEncoder, site_data: SiteData, settings: TrainingSettings
) -> None:
    losses = pretrain(quiet_model, site_data, replace(settings, pretrain_steps=1, teacher_view="fresh"), seed=1)
    assert losses.binding == pytest.approx(0.0, abs=1e-10)


def test_the_first_step_sees_the_loss_of_the_model_it_starts_from(
    quiet_model: DualEncoder, site_data: SiteData, settings: TrainingSettings
) -> None:
    batch = next(training_batches(site_data.train, store(quiet_model, site_data, settings).step_rows[:1], seed=1))
    with torch.no_grad():
        expected = info_nce_loss(*quiet_model.eval()(*batch.inputs), quiet_model.logit_scale, batch.groups).item()
    losses = pretrain(quiet_model, site_data, replace(settings, pretrain_steps=1), seed=1)
    assert losses.contrastive == pytest.approx(expected, rel=1e-6)


def test_a_larger_binding_weight_keeps_the_student_nearer_to_its_teacher(
    model_options: dict[str, Any], site_data: SiteData, settings: TrainingSettings
) -> None:
    batch = next(training_batches(site_data.train, [np.arange(16)], seed=9))

    def drift(weight: float) -> float:
        student = DualEncoder(**model_options)
        teacher = frozen_copy(student)
        pretrain(student, site_data, replace(settings, binding_weight=weight, pretrain_steps=12), seed=1)
        with torch.no_grad():
            there, here = teacher(*batch.inputs), student.eval()(*batch.inputs)
        return float((there.image - here.image).square().sum() + (there.text - here.text).square().sum())

    drifts = [drift(weight) for weight in (0.0, 1.0, 30.0)]
    assert drifts[0] > drifts[1] > drifts[2]


@pytest.mark.parametrize("phase", [train_alignment, pretrain])
def test_the_seed_decides_every_bit(
    phase: Callable[..., Any], model_options: dict[str, Any], site_data: SiteData, settings: TrainingSettings
) -> None:
    first, again, other = (DualEncoder(**model_options) for _ in range(3))
    torch.manual_seed(123)
    phase(first, site_data, settings, seed=1)
    torch.manual_seed(321)
    phase(again, site_data, settings, seed=1)
    phase(other, site_data, settings, seed=2)
    assert moved(state(first), again) == set()
    assert moved(state(first), other)


def test_workers_change_no_bit(model_options: dict[str, Any], site_data: SiteData, settings: TrainingSettings) -> None:
    alone, helped = DualEncoder(**model_options), DualEncoder(**model_options)
    pretrain(alone, site_data, settings, seed=1)
    pretrain(helped, site_data, replace(settings, workers=2), seed=1)
    assert moved(state(alone), helped) == set()


@pytest.mark.parametrize("phase", [train_alignment, pretrain])
def test_a_check_that_raises_stops_before_the_step(
    phase: Callable[..., Any], model: DualEncoder, site_data: SiteData, settings: TrainingSettings
) -> None:
    before = state(model)

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        phase(model, site_data, settings, seed=1, check=stop)
    assert moved(before, model) == set()


def test_training_lowers_the_loss(model: DualEncoder, site_data: SiteData, settings: TrainingSettings) -> None:
    longer = replace(settings, pretrain_steps=10, binding_weight=0.0)
    first = pretrain(model, site_data, longer, seed=1).contrastive
    last = pretrain(model, site_data, longer, seed=1).contrastive
    assert last < first


@pytest.mark.parametrize("phase", [train_alignment, pretrain])
@pytest.mark.parametrize("changes", [{"precision": "bf16"}, {"precision": "fp16"}, {"channels_last": True}])
def test_a_faster_format_trains_to_about_the_same_loss(
    phase: Callable[..., Any],
    changes: dict[str, Any],
    model_options: dict[str, Any],
    site_data: SiteData,
    settings: TrainingSettings,
) -> None:
    plain, fast = DualEncoder(**model_options), DualEncoder(**model_options)
    before = state(fast)
    expected = phase(plain, site_data, settings, seed=1).contrastive
    assert phase(fast, site_data, replace(settings, **changes), seed=1).contrastive == pytest.approx(expected, abs=0.15)
    assert moved(before, fast)
    assert {tensor.dtype for tensor in fast.state_dict().values()} == {torch.float32, torch.int64}


@pytest.mark.parametrize("phase", [train_alignment, pretrain])
def test_micro_batches_move_the_model_as_the_whole_batch_does(
    phase: Callable[..., Any], model_options: dict[str, Any], site_data: SiteData, settings: TrainingSettings
) -> None:
    whole, parts = Quiet(**model_options), Quiet(**model_options)
    first = phase(whole, site_data, settings, seed=1)
    second = phase(parts, site_data, replace(settings, micro_batch_size=2), seed=1)
    assert second.contrastive == pytest.approx(first.contrastive, abs=1e-5)
    assert second.binding == pytest.approx(first.binding, abs=1e-5)
    matrices = {name: tensor for name, tensor in parts.state_dict().items() if tensor.ndim >= 2}
    for name, tensor in matrices.items():  # a bias may have no gradient but noise, and Adam makes much of it
        assert (tensor - whole.state_dict()[name]).abs().float().mean() < 0.02 * settings.learning_rate, name


def test_fresh_targets_of_the_first_step_are_the_students_own(
    quiet_model: DualEncoder, site_data: SiteData, settings: TrainingSettings
) -> None:
    one = replace(settings, pretrain_steps=1, teacher_view="fresh", micro_batch_size=4)
    assert pretrain(quiet_model, site_data, one, seed=1).binding == pytest.approx(0.0, abs=1e-10)
