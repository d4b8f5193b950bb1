from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from fedaid.errors import InputError
from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.hardware import checkpoint_encoders

SIZES = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2}
OPTIONS: dict[str, Any] = {"image_size": 32, "embedding_dim": 8, "projection_hidden": 16, "max_tokens": 20}


def model_of(image: str, text: str, **options: Any) -> DualEncoder:
    encoders = {"image_encoder": {"name": image} | options, "text_encoder": {"name": text}}
    return DualEncoder(**encoders, **OPTIONS)


def run(model: DualEncoder) -> tuple[dict[str, Tensor], int]:
    """Gradients by name, and bytes kept for the way back, after the same forward and backward pass each time."""
    held: dict[int, int] = {}
    ids = torch.randint(5, 99, (4, 7), generator=torch.Generator().manual_seed(0))
    images = torch.randn(4, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(1)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: (held.update({t.data_ptr(): t.nbytes}), t)[1], lambda t: t):
        image, text = model.train()(images, ids, torch.ones_like(ids, dtype=torch.bool))
    (image * text).sum().backward()
    found = {name: weight.grad for name, weight in model.named_parameters()}
    return {name: grad for name, grad in found.items() if grad is not None}, sum(held.values())


@pytest.mark.parametrize(
    ("image", "text"), [("vit", "bert"), ("dinov2", "distilbert"), ("convnext", "roberta"), ("swin", "electra")]
)
def test_less_is_kept_and_gradients_are_the_same(image: str, text: str) -> None:
    plain, memory = run(model_of(image, text))
    model = model_of(image, text)
    checkpoint_encoders(model)
    checkpointed, less = run(model)
    assert len(plain) > 30
    assert plain.keys() == checkpointed.keys()
    for name, gradient in plain.items():
        torch.testing.assert_close(checkpointed[name], gradient, atol=1e-6, rtol=1e-5, msg=name)
    assert less < 0.95 * memory


def test_one_encoder_that_can_is_enough() -> None:
    model = model_of("monai_resnet", "bert")
    checkpoint_encoders(model)
    assert any(getattr(module, "gradient_checkpointing", False) for module in model.text["encoder"].modules())


def test_where_none_can_the_setting_is_refused() -> None:
    with pytest.raises(InputError, match=r"^gradient_checkpointing must be false for encoders that cannot do it"):
        checkpoint_encoders(torch.nn.Linear(2, 2))
