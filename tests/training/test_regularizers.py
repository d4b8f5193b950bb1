from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from fedaid.data.site_data import SiteData
from fedaid.losses.binding import binding_loss, similarity_binding_loss
from fedaid.losses.drift import model_contrastive_loss
from fedaid.models.dual_encoder import DualEncoder
from fedaid.training import regularizers as module
from fedaid.training.batches import plain_batches, round_rows
from fedaid.training.features import FeatureStore
from fedaid.training.model_tensors import Arrays, holding, tensors_of
from fedaid.training.regularizers import Regularizer, Step, StepInputs, regularizers
from fedaid.training.settings import TrainingSettings
from fedaid.training.teacher import KeptTeacher
from fedaid.training.trainer import NOTHING, keep_going

Make = Callable[..., list[Regularizer]]


@pytest.fixture
def store(model: DualEncoder, site_data: SiteData, settings: TrainingSettings) -> FeatureStore:
    return FeatureStore(model, site_data.train, settings, step_rows=round_rows(len(site_data.train), settings, seed=3))


@pytest.fixture
def make(model: DualEncoder, store: FeatureStore, settings: TrainingSettings) -> Make:
    """A function of settings that makes the terms of a phase of the model."""

    def terms(round_number: int = 0, previous: Arrays = NOTHING, **changes: Any) -> list[Regularizer]:
        changed = replace(settings, **changes)
        return regularizers(model, store, changed, round_number=round_number, previous=previous, check=keep_going)

    return terms


def a_step(model: DualEncoder, store: FeatureStore) -> Step:
    """One of a student that has moved a little."""
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.02 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(0)))
        (batch,) = plain_batches(store.dataset, store.step_rows[0], batch_size=8)
        return Step(StepInputs(store.step_rows[0], batch.inputs, batch.groups), model.eval()(*batch.inputs))


def test_by_default_the_points_are_bound_and_nothing_else(
    make: Make, model: DualEncoder, store: FeatureStore, settings: TrainingSettings
) -> None:
    teacher = KeptTeacher(model, store, settings, check=keep_going)
    (term,) = make()
    step = a_step(model, store)
    assert (term.name, term.weight) == ("binding", settings.binding_weight)
    assert torch.equal(term.value(step), binding_loss(*step.student, *teacher(step.share.rows)))


def test_the_similarity_form_binds_at_the_teachers_temperature(
    make: Make, model: DualEncoder, store: FeatureStore, settings: TrainingSettings
) -> None:
    teacher, scale = KeptTeacher(model, store, settings, check=keep_going), model.logit_scale.detach().clone()
    (term,) = make(binding_form="similarity")
    step = a_step(model, store)
    assert scale != model.logit_scale
    expected = similarity_binding_loss(*step.student, *teacher(step.share.rows), logit_scale=scale)
    assert torch.equal(term.value(step), expected)
    assert expected > 0


def test_the_proximal_term_is_measured_from_where_the_phase_starts(
    make: Make, model: DualEncoder, store: FeatureStore
) -> None:
    (term,) = make(binding_weight=0, proximal_weight=0.3)
    assert (term.name, term.weight) == ("proximal", 0.3)
    assert term.value(a_step(model, store)).item() > 0
    with torch.no_grad():
        model.log_logit_scale.add_(2.0)
    moved = term.value(None).item()  # type: ignore[arg-type]
    with torch.no_grad():
        model.log_logit_scale.sub_(2.0)
    start = term.value(None).item()  # type: ignore[arg-type]
    drift = 0.02 * torch.randn((), generator=torch.Generator().manual_seed(0)).item()
    assert moved - start == pytest.approx(((2 + drift) ** 2 - drift**2) / 2, rel=1e-2)


def test_a_frozen_weight_is_no_part_of_the_proximal_term(make: Make, model: DualEncoder) -> None:
    model.text["encoder"].requires_grad_(False)
    (term,) = make(binding_weight=0, proximal_weight=0.3)
    with torch.no_grad():
        for weight in model.text["encoder"].parameters():
            weight.add_(1.0)
    assert term.value(None).item() == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [{"binding_weight": 0.0}, {"binding_schedule": "warmup", "binding_warmup_rounds": 3}],
)
def test_a_weight_of_zero_makes_no_teacher(
    changes: dict[str, Any], make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KeptTeacher", "FreshTeacher"):
        monkeypatch.setattr(module, name, lambda *_, **__: pytest.fail("a teacher was made"))
    assert make(**changes) == []


def test_the_round_decides_the_weight(make: Make, settings: TrainingSettings) -> None:
    (term,) = make(3, binding_schedule="warmup", binding_warmup_rounds=6)
    assert term.weight == pytest.approx(settings.binding_weight / 2)


def test_measuring_the_teacher_and_binding_to_it_embed_every_sample_once(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def count(*arguments: Any, **options: Any) -> KeptTeacher:
        made.append(KeptTeacher(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(module, "KeptTeacher", count)
    monkeypatch.setattr(module, "quality_of", lambda teacher, *_, **__: 0.5 if teacher is made[0] else 0.0)
    (term,) = make(binding_schedule="teacher", binding_weight=0.4)
    assert term.weight == pytest.approx(0.2)
    assert len(made) == 1


def test_without_a_model_of_the_round_before_there_is_nothing_to_contrast(make: Make) -> None:
    assert make(binding_weight=0, moon_weight=1.0) == []


def test_moon_contrasts_both_modalities_of_the_start_and_of_the_sites_last_model(
    make: Make, model: DualEncoder, store: FeatureStore, settings: TrainingSettings
) -> None:
    start, previous = tensors_of(model), {name: np.asarray(t * 0.5, t.dtype) for name, t in tensors_of(model).items()}
    (term,) = make(previous=previous, binding_weight=0, moon_weight=2.0, moon_temperature=0.3)
    assert (term.name, term.weight) == ("moon", 2.0)
    assert all(np.array_equal(tensor, start[name]) for name, tensor in tensors_of(model).items())
    (batch,) = plain_batches(store.dataset, store.step_rows[0], batch_size=8)
    embedded = []
    for tensors in (start, previous):
        with torch.no_grad(), holding(model, tensors):
            embedded.append(model.eval()(*batch.inputs))
    step = a_step(model, store)
    losses = [
        model_contrastive_loss(*tower, temperature=0.3).item() for tower in zip(step.student, *embedded, strict=True)
    ]
    assert term.value(step).item() == pytest.approx(sum(losses) / 2, abs=1e-5)
    assert abs(losses[0] - losses[1]) > 1e-4


def test_binding_and_moon_share_the_start_as_a_teacher(make: Make, model: DualEncoder, monkeypatch: Any) -> None:
    made = []

    def count(*arguments: Any, **options: Any) -> KeptTeacher:
        made.append(tensors_of(arguments[0])["log_logit_scale"].item())
        return KeptTeacher(*arguments, **options)

    monkeypatch.setattr(module, "KeptTeacher", count)
    previous = {"log_logit_scale": np.array(0.5, np.float32)}
    assert [term.name for term in make(previous=previous, moon_weight=1.0)] == ["binding", "moon"]
    assert made == pytest.approx([model.log_logit_scale.item(), 0.5])
