from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from admin.jobs.cost import ModelSize
from admin.jobs.memory.at_site import MORE_PROCESS, PROCESSES, site_memory
from admin.jobs.memory.step_peak import StepPeak
from fedaid.training.settings import TrainingSettings

GIB = 2**30
SIZE = ModelSize(
    whole=1000, matrices=800, rows=10, alignment=100, alignment_matrices=80, alignment_rows=2, parameters=250
)
FROZEN = replace(SIZE, frozen=900, matrices=90)
PEAK = StepPeak(training=1700, features=50, cached=1)
SETTINGS = TrainingSettings(batch_size=4, align_steps=1, pretrain_steps=2)


def above(size: ModelSize = SIZE, peak: StepPeak = PEAK, **changes: Any) -> float:
    settings = replace(SETTINGS, **changes)
    return sum(site_memory(size, peak, settings).values()) - PROCESSES


def test_all_trained_is_weights_and_two_moments_and_a_step_with_its_gradients() -> None:
    assert above() == 1000 + 2 * 1000 + 1700
    terms = site_memory(SIZE, PEAK, SETTINGS)
    assert (terms["gradients"], terms["moments"], terms["activations"]) == (1000, 2000, 700)


def test_a_step_with_few_activations_still_has_all_gradients_at_its_end() -> None:
    assert above(peak=replace(PEAK, training=300)) == 1000 + 2 * 1000 + 1000


def test_frozen_weights_have_neither_gradients_nor_moments() -> None:
    assert above(FROZEN, replace(PEAK, training=150)) == 1000 + 2 * 100 + 150


@pytest.mark.parametrize(
    ("changes", "more"),
    [
        ({"proximal_weight": 0.1}, 1000),
        ({"moon_weight": 1.0}, 1000),
        ({"teacher_view": "fresh"}, 1000),
        ({"teacher_view": "fresh", "binding_weight": 0.0}, 0),
        ({"local_normalisation": True}, 0),
        ({"report_student_loss": True}, 0),
    ],
)
def test_a_method_adds_the_copies_that_it_holds(changes: dict[str, Any], more: int) -> None:
    assert above(**changes) == above() + more


def test_with_frozen_towers_the_pass_of_the_teacher_can_be_the_largest_moment() -> None:
    large = StepPeak(training=150, features=600, cached=10)
    assert above(FROZEN, large) == 1000 + 600 + 2 * 4 * 10
    assert above(FROZEN, replace(large, cached=GIB), feature_memory_mb=1) == 1000 + 600 + 2**20


def test_each_process_that_shares_a_batch_has_the_model_and_the_first_one_does_not_train() -> None:
    assert above(processes=2) == 1000 + 2 * (MORE_PROCESS + 1000 + 2 * 1000 + 1700)
