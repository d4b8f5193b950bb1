"""How the tensors of a model's state are named, for those who handle them without the model."""

from __future__ import annotations

LOGIT_SCALE = "log_logit_scale"
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")  # what batch norm measures


def is_alignment(name: str) -> bool:
    """Whether a tensor belongs to the alignment modules of the towers; the logit scale does."""
    return name == LOGIT_SCALE or name.split(".")[1:2] == ["alignment"]


def is_statistic(name: str) -> bool:
    """Whether a tensor is measured on the batches and not trained."""
    return name.rpartition(".")[2] in STATISTICS
