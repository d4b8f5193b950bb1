"""The two phases of a round, at one site."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields

import torch
from torch import Tensor

from fedaid.data.dataset import Batch
from fedaid.losses.binding import binding_loss
from fedaid.losses.contrastive import duplicates, info_nce_loss
from fedaid.models.dual_encoder import DualEncoder, Embeddings
from fedaid.training.accumulation import Inputs, embed_in_parts
from fedaid.training.batches import training_batches
from fedaid.training.features import FeatureStore
from fedaid.training.frozen import frozen_encoders
from fedaid.training.optimizer import Stepper
from fedaid.training.precision import autocast
from fedaid.training.process_group import gathered, process_number, synchronized
from fedaid.training.settings import TrainingSettings
from fedaid.training.teacher import teacher_of

Check = Callable[[], None]


def keep_going() -> None:
    """The check of a phase that nobody may interrupt."""


@dataclass(frozen=True)
class PhaseLosses:
    """Means over the steps of a phase.

    Attributes:
        contrastive: L in nats.
        binding: R without its weight, 0 where it was not used.
        duplicates: share of the pairs of a batch that have the same text and so are no negatives, in [0, 1].
    """

    contrastive: float = 0.0
    binding: float = 0.0
    duplicates: float = 0.0


@dataclass
class StepLosses:
    """What the steps of a phase give, on the model's device, so that no step waits for a number."""

    contrastive: list[Tensor] = field(default_factory=list)
    binding: list[Tensor] = field(default_factory=list)
    duplicates: list[Tensor] = field(default_factory=list)

    def means(self) -> PhaseLosses:
        """Their means; 0 for what no step gave."""
        named = {one.name: getattr(self, one.name) for one in fields(self)}
        return PhaseLosses(**{name: torch.stack(all).mean().item() for name, all in named.items() if all})


def train_alignment(
    model: DualEncoder, features: FeatureStore, settings: TrainingSettings, *, seed: int, check: Check = keep_going
) -> PhaseLosses:
    """Trains the alignment modules for T1 steps on kept features of the frozen encoders; changes ``model`` in place.

    Args:
        model: θ at the start of the round.
        features: of the site's training split under θ, with the round's batches.
        settings: T1 = ``align_steps`` and the rest.
        seed: of this site, round and phase.
        check: called before every step; raises to stop.
    """
    torch.manual_seed(seed + process_number())
    losses = StepLosses()
    device = model.log_logit_scale.device
    rate = settings.align_learning_rate or settings.learning_rate
    with frozen_encoders(model):
        stepper = Stepper(model.parameters(), settings, learning_rate=rate)
        embed = synchronized(model, lambda *inputs: embedded(model, model.align, inputs, settings))
        for rows in features.plan[: settings.align_steps]:
            check()
            embeddings = embed(*features.of(rows))
            groups = gathered(torch.from_numpy(features.dataset.text_groups[rows]).to(device))
            loss = info_nce_loss(*embeddings, model.logit_scale, groups)
            stepper.step(loss)
            losses.contrastive.append(loss.detach())
    return losses.means()


def pretrain(
    model: DualEncoder, features: FeatureStore, settings: TrainingSettings, *, seed: int, check: Check = keep_going
) -> PhaseLosses:
    """Trains the whole model for T2 steps on L + λ R, bound to where it starts; in place.

    Args:
        model: encoders of the round's start with the ideal alignment: the student starts from the teacher.
        features: of the site's training split under those encoders, with the round's batches; emptied on the way.
        settings: T2 = ``pretrain_steps``, λ = ``binding_weight`` and the rest.
        seed: of this site, round and phase.
        check: called before every step; raises to stop.
    """
    torch.manual_seed(seed + process_number())
    teacher = teacher_of(model, features, settings, check=check) if settings.binding_weight > 0 else None
    features.clear()
    losses = StepLosses()
    model.train()
    stepper = Stepper(model.parameters(), settings, learning_rate=settings.learning_rate)
    embed = synchronized(model, lambda *inputs: embedded(model, model, inputs, settings))
    plan = features.plan[: settings.pretrain_steps]
    batches = training_batches(features.dataset, plan, seed=seed, workers=settings.workers)
    for rows, batch in zip(plan, batches, strict=True):
        check()
        batch = moved(batch, model, settings)
        student, groups = embed(*batch.inputs), gathered(batch.groups)
        loss = info_nce_loss(*student, model.logit_scale, groups)
        losses.contrastive.append(loss.detach())
        losses.duplicates.append(duplicates(groups).float().sum() / (len(groups) * (len(groups) - 1)))
        if teacher is not None:
            distance = binding_loss(*student, *map(gathered, teacher(rows, batch)))
            loss = loss + settings.binding_weight * distance
            losses.binding.append(distance.detach())
        stepper.step(loss)
    return losses.means()


def embedded(
    model: DualEncoder, embed: Callable[..., Embeddings], inputs: Inputs, settings: TrainingSettings
) -> Embeddings:
    """A batch's embeddings (B, D), float32, in the precision and the parts that the settings say."""
    device = model.log_logit_scale.device

    def in_precision(*part: Tensor) -> Embeddings:
        with autocast(settings.precision, device):
            return embed(*part)

    return embed_in_parts(in_precision, inputs, size=settings.pairs_at_once, model=model)


def moved(batch: Batch, model: DualEncoder, settings: TrainingSettings) -> Batch:
    """The batch on the model's device and in its layout."""
    batch = batch.to(model.log_logit_scale.device)
    if not settings.channels_last:
        return batch
    return batch._replace(images=batch.images.contiguous(memory_format=torch.channels_last))
