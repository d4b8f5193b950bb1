"""AdamW with warm-up and gradient clipping: one step of local training."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from fedaid.training.hardware import loss_scaler
from fedaid.training.settings import TrainingSettings

BETAS = (0.9, 0.999)
SMALLEST_SCALE = 2.0**-10  # a loss that overflows fp16 even at this scale is no matter of scaling


class Stepper:
    """Takes one optimizer step after another over the parameters that require gradients.

    Weight decay applies to matrices only, not to biases, norms or the logit scale. In fp16 a step whose gradient
    overflows is left out and the next loss is scaled less.

    Args:
        parameters: those to train.
        settings: rates, decay, warm-up, clipping and precision.
        learning_rate: after warm-up.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], settings: TrainingSettings, *, learning_rate: float) -> None:
        self._parameters = [p for p in parameters if p.requires_grad]
        groups = [
            {"params": [p for p in self._parameters if p.ndim >= 2], "weight_decay": settings.weight_decay},
            {"params": [p for p in self._parameters if p.ndim < 2], "weight_decay": 0.0},
        ]
        self._optimizer = torch.optim.AdamW(groups, lr=learning_rate, betas=BETAS, fused=True)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimizer, lambda step: min(1.0, (step + 1) / (settings.warmup_steps + 1))
        )
        self._max_grad_norm = settings.max_grad_norm
        self._scaler = loss_scaler(settings.precision, self._parameters[0].device)

    def step(self, loss: Tensor) -> None:
        """Descends one step along ``loss``.

        Raises:
            FloatingPointError: if the loss or a gradient is not finite; the parameters are then unchanged.
        """
        self._optimizer.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self._scaler.unscale_(self._optimizer)
        norm = nn.utils.clip_grad_norm_(self._parameters, self._max_grad_norm)
        finite = bool(torch.isfinite(loss.detach()) & torch.isfinite(norm))
        overflow = self._scaler.is_enabled() and bool(torch.isfinite(loss.detach()))
        if not finite and not (overflow and self._scaler.get_scale() > SMALLEST_SCALE):
            raise FloatingPointError(
                "loss must be finite, got a NaN or infinity: local training. Lower learning_rate or max_grad_norm."
            )
        self._scaler.step(self._optimizer)
        self._scaler.update()
        if finite:
            self._schedule.step()
