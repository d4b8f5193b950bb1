from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from fedaid.models.dual_encoder import Embeddings
from fedaid.training.binding_schedule import quality_of, scheduled_weight
from fedaid.training.settings import TrainingSettings

BATCH, BATCHES = 8, 4


def never() -> float:
    pytest.fail("nobody should ask for the quality")


def weights(rounds: int, **changes: Any) -> list[float]:
    settings = TrainingSettings(binding_weight=0.4, **changes)
    return [scheduled_weight(settings, round_number=number, teacher_quality=never) for number in range(rounds)]


def test_a_constant_weight_is_the_same_in_every_round() -> None:
    assert weights(3) == [0.4, 0.4, 0.4]


def test_a_warm_up_starts_from_nothing_and_grows_in_equal_steps() -> None:
    found = weights(6, binding_schedule="warmup", binding_warmup_rounds=4)
    assert found == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4, 0.4])


def test_a_teachers_quality_scales_the_weight() -> None:
    settings = TrainingSettings(binding_weight=0.4, binding_schedule="teacher")
    assert scheduled_weight(settings, round_number=9, teacher_quality=lambda: 0.25) == pytest.approx(0.1)


def test_without_binding_no_quality_is_measured() -> None:
    settings = TrainingSettings(binding_weight=0.0, binding_schedule="teacher")
    assert scheduled_weight(settings, round_number=9, teacher_quality=never) == 0


def quality(image: Tensor, text: Tensor, scale: float, groups: Any = None) -> float:
    """Of a teacher whose embeddings of the 32 samples are given, over 4 batches of 8."""
    teacher: Any = lambda rows: Embeddings(image[rows], text[rows])  # noqa: E731
    groups = np.arange(len(image)) if groups is None else groups
    step_rows = list(np.arange(len(image)).reshape(BATCHES, BATCH))
    features: Any = SimpleNamespace(step_rows=step_rows, groups=lambda rows: torch.from_numpy(groups[rows]))
    settings = replace(TrainingSettings(), batch_size=BATCH, pretrain_steps=BATCHES)
    return quality_of(teacher, features, settings, scale=torch.tensor(scale))


def unit(seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return functional.normalize(torch.randn(BATCH * BATCHES, 64, generator=generator), dim=1)


def test_a_teacher_that_knows_every_pair_has_quality_one() -> None:
    image = torch.eye(BATCH).repeat(BATCHES, 1)
    assert quality(image, image, scale=100.0) == pytest.approx(1, abs=1e-6)


def test_a_random_teacher_has_quality_zero() -> None:
    assert quality(unit(0), unit(1), scale=14.0) == 0


def test_a_teacher_for_whom_all_are_alike_has_quality_zero() -> None:
    same = torch.eye(BATCH)[:1].repeat(BATCH * BATCHES, 1)
    assert quality(same, same, scale=14.0) == pytest.approx(0, abs=1e-6)


def test_between_them_it_is_one_minus_the_loss_in_units_of_log_b() -> None:
    """Own pairs at similarity 1, others at 0, scale log 7: each row gives its own text 7 / (7 + 7) = ½."""
    image = torch.eye(BATCH).repeat(BATCHES, 1)
    expected = 1 - math.log(2) / math.log(BATCH)
    assert quality(image, image, scale=math.log(7)) == pytest.approx(expected, rel=1e-5)


def test_only_the_batches_of_the_phase_are_looked_at() -> None:
    image = torch.eye(BATCH).repeat(BATCHES, 1)
    spoilt = torch.cat([image, unit(2)[:, :BATCH]])
    assert quality(spoilt[: BATCH * BATCHES], image, scale=100.0) == pytest.approx(1, abs=1e-6)


def test_duplicate_texts_do_not_lower_it() -> None:
    halves = torch.eye(BATCH)[torch.arange(BATCH) // 2].repeat(BATCHES, 1)
    groups = np.arange(BATCH * BATCHES) // 2
    assert quality(halves, halves, scale=100.0, groups=groups) == pytest.approx(1, abs=1e-6)
    assert quality(halves, halves, scale=100.0) < 0.8
