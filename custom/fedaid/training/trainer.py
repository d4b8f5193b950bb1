"""The two phases of a round at one site, and the training step that both repeat.

A step, :meth:`Trainer.step`, goes from a batch of pairs to features, to embeddings, to the loss L + λ R, to gradients,
and to new weights. The phases differ in what they train and on what:

* alignment phase: the alignment modules, on cached features of the frozen encoders, with the loss L;
* phase two: the whole model, on augmented images and their texts, with L, the binding λ R, and terms of other methods.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Self

import torch
from torch import Tensor, nn

from fedaid.losses.contrastive import duplicates, info_nce_loss
from fedaid.models.dual_encoder import DualEncoder, Embeddings
from fedaid.training.accumulation import in_parts
from fedaid.training.batches import training_batches
from fedaid.training.features import FeatureStore
from fedaid.training.hardware import loss_scaler, placed
from fedaid.training.heap import give_back_free_memory
from fedaid.training.model_tensors import Arrays
from fedaid.training.processes.process_group import gathered, process_number, synchronized
from fedaid.training.regularizers import Regularizer, Step, StepInputs, regularizers
from fedaid.training.settings import TrainingSettings
from fedaid.training.teacher import frozen_encoders

Check = Callable[[], None]
NOTHING: Arrays = MappingProxyType({})
BETAS = (0.9, 0.999)
SMALLEST_SCALE = 2.0**-10  # if a loss overflows fp16 even at this scale, scaling does not help


def keep_going() -> None:
    """The check of a phase that nobody may interrupt."""


@dataclass(frozen=True)
class PhaseLosses:
    """Means over the steps of a phase; 0 for a term that the phase does not have.

    Attributes:
        contrastive: L in nats.
        binding: R without its weight.
        duplicates: share of the pairs of a batch with the same text, which are no negatives, in [0, 1].
        binding_weight: λ of this round, after its schedule.
        proximal: ½ ‖θ − θ₀‖², without its weight.
        moon: the model-contrastive term, without its weight.
    """

    contrastive: float = 0.0
    binding: float = 0.0
    duplicates: float = 0.0
    binding_weight: float = 0.0
    proximal: float = 0.0
    moon: float = 0.0


def train_alignment(
    model: DualEncoder, features: FeatureStore, settings: TrainingSettings, *, seed: int, check: Check = keep_going
) -> PhaseLosses:
    """Trains the alignment modules for T1 steps; changes ``model`` in place.

    Args:
        model: θ at the start of the round.
        features: of the site's training split under θ, with the round's batches.
        settings: T1 = ``align_steps`` and the rest.
        seed: of this site, round and phase.
        check: called before every step; raises to stop.
    """
    torch.manual_seed(seed + process_number())
    with frozen_encoders(model):
        rate = settings.align_learning_rate or settings.learning_rate
        with Trainer(model, model.align, settings, learning_rate=rate) as trainer:
            for rows in features.step_rows[: settings.align_steps]:
                check()
                trainer.step(StepInputs(rows, features.of(rows), features.groups(rows)))
    return trainer.mean_losses()


def pretrain(
    model: DualEncoder,
    features: FeatureStore,
    settings: TrainingSettings,
    *,
    seed: int,
    round_number: int = 0,
    previous: Arrays = NOTHING,
    check: Check = keep_going,
) -> PhaseLosses:
    """Trains the whole model for T2 steps; changes ``model`` in place.

    Args:
        model: encoders of the round's start with the ideal alignment: the student starts from the teacher.
        features: of the site's training split under those encoders, with the round's batches; emptied on the way.
        settings: T2 = ``pretrain_steps``, λ = ``binding_weight`` and the rest.
        seed: of this site, round and phase.
        round_number: from 0, for the schedule of λ.
        previous: the site's model at the end of the previous round; empty if there was none.
        check: called before every step; raises to stop.
    """
    torch.manual_seed(seed + process_number())
    terms = regularizers(model, features, settings, round_number=round_number, previous=previous, check=check)
    features.clear()
    model.train()
    step_rows = features.step_rows[: settings.pretrain_steps]
    batches = training_batches(features.dataset, step_rows, seed=seed, workers=settings.workers)
    with Trainer(model, model, settings, learning_rate=settings.learning_rate, terms=terms) as trainer:
        for rows, batch in zip(step_rows, batches, strict=True):
            check()
            batch = placed(batch, model, settings)
            trainer.step(StepInputs(rows, batch.inputs, batch.groups))
    bound = sum((term.weight for term in terms if term.name == "binding"), start=0.0)
    return replace(trainer.mean_losses(), binding_weight=bound)


class Trainer:
    """Takes the steps of a phase; at the end of its ``with`` block its gradients and moments leave the memory.

    Args:
        model: in the mode that the phase needs; the parameters that require gradients are trained.
        embed: inputs of a batch → its embeddings, with the model's weights.
        settings: of local training.
        learning_rate: after the warm-up.
        terms: what is added to the contrastive loss.
    """

    def __init__(
        self,
        model: DualEncoder,
        embed: Callable[..., Embeddings],
        settings: TrainingSettings,
        *,
        learning_rate: float,
        terms: Sequence[Regularizer] = (),
    ) -> None:
        self._model, self._terms = model, terms
        self._optimizer = Optimizer(model.parameters(), settings, learning_rate=learning_rate)
        self._embed = synchronized(model, in_parts(model, embed, settings))
        self._losses: defaultdict[str, list[Tensor]] = defaultdict(list)

    def step(self, batch: StepInputs) -> None:
        """One step on this process's share of a batch.

        Raises:
            FloatingPointError: if the loss or a gradient is not finite; the weights are then unchanged.
        """
        embeddings, groups = self._embed(*batch.inputs), gathered(batch.groups)
        loss = info_nce_loss(*embeddings, self._model.logit_scale, groups)
        self._note("contrastive", loss)
        self._note("duplicates", duplicates(groups).float().sum() / (len(groups) * (len(groups) - 1)))
        for term in self._terms:
            value = term.value(Step(batch, embeddings))
            loss = loss + term.weight * value
            self._note(term.name, value)
        self._optimizer.backward(loss)
        self._optimizer.step()
        self._optimizer.free_gradients()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *ended_by: object) -> None:
        self._optimizer.release()

    def mean_losses(self) -> PhaseLosses:
        """Means over the steps taken."""
        return PhaseLosses(**{name: torch.stack(losses).mean().item() for name, losses in self._losses.items()})

    def _note(self, name: str, loss: Tensor) -> None:
        """Stores a loss of this step, a field of :class:`PhaseLosses`, on its device: no step waits for a number."""
        self._losses[name].append(loss.detach())


class Optimizer:
    """AdamW with warm-up and gradient clipping, over the parameters that require gradients.

    Weight decay applies to matrices only, not to biases, norms or the logit scale. In fp16 a step whose gradient
    overflows is skipped and the next loss is scaled less.

    Args:
        parameters: those to train.
        settings: rates, decay, warm-up, clipping and precision.
        learning_rate: after the warm-up.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], settings: TrainingSettings, *, learning_rate: float) -> None:
        self._parameters = [p for p in parameters if p.requires_grad]
        groups = [
            {"params": [p for p in self._parameters if p.ndim >= 2], "weight_decay": settings.weight_decay},
            {"params": [p for p in self._parameters if p.ndim < 2], "weight_decay": 0.0},
        ]
        self._adamw = torch.optim.AdamW(groups, lr=learning_rate, betas=BETAS, fused=True)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._adamw, lambda step: min(1.0, (step + 1) / (settings.warmup_steps + 1))
        )
        self._max_grad_norm, self._finite = settings.max_grad_norm, True
        self._scaler = loss_scaler(settings.precision, self._parameters[0].device)

    def backward(self, loss: Tensor) -> None:
        """Computes the gradients of the loss and clips their norm.

        Raises:
            FloatingPointError: if the loss or a gradient is not finite.
        """
        self._adamw.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self._scaler.unscale_(self._adamw)
        norm = nn.utils.clip_grad_norm_(self._parameters, self._max_grad_norm)
        self._finite = bool(torch.isfinite(loss.detach()) & torch.isfinite(norm))
        overflow = self._scaler.is_enabled() and bool(torch.isfinite(loss.detach()))
        if not self._finite and not (overflow and self._scaler.get_scale() > SMALLEST_SCALE):
            raise FloatingPointError(
                "loss must be finite, got a NaN or infinity: local training. Lower learning_rate or max_grad_norm."
            )

    def step(self) -> None:
        """Moves the parameters along their gradients; skips the step if a gradient overflowed in fp16."""
        self._scaler.step(self._adamw)
        self._scaler.update()
        if self._finite:
            self._schedule.step()

    def free_gradients(self) -> None:
        """Frees the gradients: the next forward pass needs the memory for its activations."""
        self._adamw.zero_grad(set_to_none=True)

    def release(self) -> None:
        """Frees gradients and moments now: torch's schedule and optimizer refer to each other, so they would stay."""
        self.free_gradients()
        self._adamw.state.clear()
        give_back_free_memory()
