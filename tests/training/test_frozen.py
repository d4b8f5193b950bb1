from __future__ import annotations

from typing import Any

import pytest
import torch

from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.tensor_names import is_alignment
from fedaid.training.teacher import encoders, frozen_copy, frozen_encoders


def test_a_frozen_copy_is_equal_but_apart(model: DualEncoder) -> None:
    teacher = frozen_copy(model)
    with torch.no_grad():
        model.log_logit_scale.add_(1.0)
    assert teacher.log_logit_scale != model.log_logit_scale


def test_a_frozen_copy_takes_no_gradient_and_is_in_evaluation_mode(model: DualEncoder) -> None:
    teacher = frozen_copy(model.train())
    assert not any(weight.requires_grad for weight in teacher.parameters())
    assert not any(module.training for module in teacher.modules())
    assert model.training


def test_inside_the_block_only_the_encoders_are_frozen(model: DualEncoder) -> None:
    model.eval()
    with frozen_encoders(model):
        frozen = [weight for encoder in encoders(model) for weight in encoder.parameters()]
        assert len(frozen) > 10
        assert not any(weight.requires_grad for weight in frozen)
        assert not any(module.training for encoder in encoders(model) for module in encoder.modules())
        assert model.image["alignment"].training
        assert all(weight.requires_grad for weight in model.text["alignment"].parameters())
        assert model.log_logit_scale.requires_grad


def test_after_the_block_the_encoders_train_again_even_after_an_error(model: DualEncoder) -> None:
    with pytest.raises(ZeroDivisionError), frozen_encoders(model):
        raise ZeroDivisionError
    assert all(weight.requires_grad for weight in model.parameters())


def test_a_weight_that_was_fixed_before_the_block_stays_so(model: DualEncoder) -> None:
    fixed = next(model.image["encoder"].parameters()).requires_grad_(False)
    with frozen_encoders(model):
        pass
    assert not fixed.requires_grad


def test_after_the_block_of_an_encoder_with_adapters_they_alone_train_again(adapted_options: dict[str, Any]) -> None:
    model = DualEncoder(**adapted_options)
    with frozen_encoders(model):
        assert not any(weight.requires_grad for encoder in encoders(model) for weight in encoder.parameters())
    for name, weight in model.named_parameters():
        assert weight.requires_grad == (".lora_" in name or is_alignment(name)), name
