from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from admin.jobs.memory.step_peak import LivingTensors, StepPeak, step_peak
from fedaid.models.configuration import IMAGE_ENCODERS
from fedaid.training.settings import TrainingSettings
from tests.integration.conftest import MODEL
from tests.models.published_encoders import Published
from tests.models.test_published_encoders import IMAGES, TEXTS, model_of, named

VIT = {"name": "vit", "patch_size": 16, "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2}
SETTINGS: dict[str, Any] = {"batch_size": 4, "valid_batch_size": 4, "align_steps": 1, "pretrain_steps": 2}


def peak(model: dict[str, Any] = MODEL, **settings: Any) -> StepPeak:
    return step_peak({"vocabulary": "radiology", **model}, TrainingSettings(**SETTINGS | settings))


def test_the_peak_of_a_linear_layer_by_hand() -> None:
    """After the forward pass: input and output. Backward: the gradients of the weight and of the output, besides."""
    layer = nn.Linear(100, 1, bias=False)
    with LivingTensors(layer.parameters()) as living:
        layer(torch.zeros(10, 100)).sum().backward()
    of_input, of_output, scalar, of_weight = 4000, 40, 4, 400
    assert of_input + of_weight <= living.most <= of_input + 2 * of_output + 2 * scalar + 2 * of_weight


def test_a_tensor_that_has_gone_is_not_counted_with_the_next() -> None:
    with LivingTensors([]) as living:
        for _ in range(5):
            torch.zeros(1000)
    assert living.most == 4000


def test_activations_grow_with_the_batch_and_gradients_do_not() -> None:
    two, four, eight = (peak(batch_size=pairs).training for pairs in (2, 4, 8))
    assert eight - four == pytest.approx(2 * (four - two), rel=0.05)


def test_parts_of_a_batch_and_processes_hold_their_share() -> None:
    assert peak(batch_size=8, micro_batch_size=2).training == peak(batch_size=2).training
    assert peak(batch_size=8, processes=4).training == peak(batch_size=2).training


def test_checkpointing_and_bf16_and_frozen_towers_hold_less() -> None:
    model = MODEL | {"image_encoder": VIT}
    whole = peak(model, batch_size=32).training
    assert peak(model, batch_size=32, gradient_checkpointing=True).training < whole
    assert peak(model, batch_size=32, precision="bf16").training < whole
    assert peak(model | {"image_encoder": VIT | {"frozen": True}}, batch_size=32).training < whole


def test_the_teacher_embeds_the_later_samples_together() -> None:
    assert peak(pretrain_steps=9).features > 4 * peak(pretrain_steps=2).features
    assert peak(pretrain_steps=9, micro_batch_size=2).features < peak(pretrain_steps=2).features


def test_checkpointing_leaves_frozen_encoders_out() -> None:
    frozen = MODEL | {name: MODEL[name] | {"frozen": True} for name in ("image_encoder", "text_encoder")}
    frozen |= {"image_encoder": VIT | {"frozen": True}}
    assert peak(frozen, gradient_checkpointing=True) == peak(frozen)


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(IMAGE_ENCODERS))
def test_every_image_encoder_can_be_counted(name: str) -> None:
    assert peak(MODEL | {"image_encoder": name, "image_size": 64}).training > 0


@pytest.mark.long
@pytest.mark.parametrize("one", TEXTS + IMAGES, ids=named)
def test_every_published_encoder_can_be_counted(
    one: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEDAID_MODELS", str(tmp_path))
    one.write(tmp_path / "fake")
    assert step_peak(model_of(one).configuration, TrainingSettings(**SETTINGS)).training > 0
