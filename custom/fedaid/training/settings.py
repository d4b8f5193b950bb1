"""What a job may set about a site's local training, checked before anything starts."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fedaid.errors import require

WHERE = "executor args of config_fed_client.json"


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of local training.

    Attributes:
        batch_size: B, pairs per step, at least 2.
        valid_batch_size: fixed batch size of the validation loss; the same at all sites, so that losses compare.
        align_steps: T1; 0 leaves the alignment phase out.
        pretrain_steps: T2.
        learning_rate: of AdamW, after warm-up.
        align_learning_rate: the same for the alignment phase; None takes ``learning_rate``.
        weight_decay: of AdamW, on matrices only.
        warmup_steps: steps at the start of each phase over which the rate grows from near 0.
        max_grad_norm: the global gradient norm is clipped to it.
        binding_weight: λ of the binding regularizer; 0 turns it off.
        threads: CPU threads of this site's process; 0 leaves torch's choice.
        workers: data loader processes; 0 loads in the training process.
        seed: of the run; all that is random at a site follows from it, the site's name and the round.

    Raises:
        InputError: naming the setting.
    """

    batch_size: int = 32
    valid_batch_size: int = 16
    align_steps: int = 20
    pretrain_steps: int = 50
    learning_rate: float = 1e-4
    align_learning_rate: float | None = None
    weight_decay: float = 0.05
    warmup_steps: int = 5
    max_grad_norm: float = 1.0
    binding_weight: float = 0.1
    threads: int = 0
    workers: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("batch_size", "valid_batch_size"):
            value = getattr(self, name)
            remedy = "The contrastive loss of one pair is constant; use 16 or more."
            ok = is_number(value, int) and value >= 2
            require(ok, name, "be a whole number of at least 2", got=value, where=WHERE, remedy=remedy)
        for name in ("align_steps", "warmup_steps", "threads", "workers", "seed", "pretrain_steps"):
            value, least = getattr(self, name), int(name == "pretrain_steps")
            ok = is_number(value, int) and value >= least
            remedy = "Correct the job's setting."
            require(ok, name, f"be a whole number of at least {least}", got=value, where=WHERE, remedy=remedy)
        for name in ("learning_rate", "max_grad_norm"):
            self._check_number(name, above=True)
        for name in ("weight_decay", "binding_weight"):
            self._check_number(name, above=False)
        if self.align_learning_rate is not None:
            self._check_number("align_learning_rate", above=True)

    def _check_number(self, name: str, *, above: bool) -> None:
        value = getattr(self, name)
        ok = is_number(value, (int, float)) and math.isfinite(value) and (value > 0 if above else value >= 0)
        rule = "be a finite number above 0" if above else "be a finite number of at least 0"
        require(ok, name, rule, got=value, where=WHERE, remedy="Correct the job's setting.")


def is_number(value: object, kind: type | tuple[type, ...]) -> bool:
    """Whether the value is a number of this kind; a bool is none."""
    return isinstance(value, kind) and not isinstance(value, bool)
