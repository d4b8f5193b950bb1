"""A tiny model with low-rank adapters."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="session")
def adapted_options(model_options: dict[str, Any]) -> dict[str, Any]:
    """Constructor arguments of a model of two transformers, frozen but for adapters, with dropout in its text tower."""
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    towers = {"image_encoder": {"name": "vit"} | sizes, "text_encoder": {"name": "bert"} | sizes}
    return model_options | towers | {"adapters": {"rank": 2}}
