"""The names of the tensors of a model's state, for code that handles tensors without the model, and without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

LOGIT_SCALE = "log_logit_scale"
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")  # of batch norm


def is_alignment(name: str) -> bool:
    """Whether a tensor belongs to the alignment modules; the logit scale does."""
    return name == LOGIT_SCALE or name.split(".")[1:2] == ["alignment"]


def is_statistic(name: str) -> bool:
    """Whether a tensor is a statistic of the batches, which is measured and not trained."""
    return name.rpartition(".")[2] in STATISTICS


def is_learned(name: str, tensor: NDArray[Any]) -> bool:
    """Whether a tensor is trained: its numbers are floats, and it is neither a statistic nor a counter."""
    return tensor.dtype.kind == "f" and not is_statistic(name)


def batch_norm_names(model: nn.Module) -> frozenset[str]:
    """Names of all tensors of batch-norm layers in the model's state: weights, biases and running statistics.

    Layer norm and group norm are not included: they have no statistics of the data.
    """
    from torch.nn.modules.batchnorm import _BatchNorm

    layers = {name: module for name, module in model.named_modules() if isinstance(module, _BatchNorm)}
    return frozenset(f"{name}.{tensor}" for name, layer in layers.items() for tensor in layer.state_dict())
