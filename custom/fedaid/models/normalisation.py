"""Which tensors of a model belong to batch normalisation."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


def batch_norm_names(model: nn.Module) -> frozenset[str]:
    """Names of all tensors of batch-norm layers in the model's state: weights, biases and running statistics.

    Layer and group norm are none: they have no statistics of the data.
    """
    layers = {name: module for name, module in model.named_modules() if isinstance(module, _BatchNorm)}
    return frozenset(f"{name}.{tensor}" for name, layer in layers.items() for tensor in layer.state_dict())
