"""The two phases of a round, at one site."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from fedaid.data.dataset import StudyDataset
from fedaid.losses.binding import binding_loss
from fedaid.losses.contrastive import duplicates, info_nce_loss
from fedaid.models.dual_encoder import DualEncoder, Embeddings
from fedaid.training.batches import shuffled_rows, training_batches
from fedaid.training.features import FeatureStore
from fedaid.training.frozen import frozen_copy, frozen_encoders
from fedaid.training.optimizer import Stepper
from fedaid.training.settings import TrainingSettings

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


def train_alignment(
    model: DualEncoder, dataset: StudyDataset, settings: TrainingSettings, *, seed: int, check: Check = keep_going
) -> PhaseLosses:
    """Trains the alignment modules for T1 steps on kept features of the frozen encoders; changes ``model`` in place.

    Args:
        model: θ at the start of the round.
        dataset: the site's training split, at least one batch.
        settings: T1 = ``align_steps`` and the rest.
        seed: of this site, round and phase.
        check: called before every step; raises to stop.
    """
    torch.manual_seed(seed)
    total = 0.0
    with frozen_encoders(model):
        store = FeatureStore(model, dataset, batch_size=settings.batch_size)
        stepper = Stepper(
            model.parameters(), settings, learning_rate=settings.align_learning_rate or settings.learning_rate
        )
        steps = settings.align_steps
        for rows in shuffled_rows(len(dataset), batch_size=settings.batch_size, steps=steps, seed=seed):
            check()
            embeddings = model.align(*store.of(rows))
            groups = torch.from_numpy(dataset.text_groups[rows]).to(embeddings.image.device)
            loss = info_nce_loss(embeddings.image, embeddings.text, model.logit_scale, groups)
            stepper.step(loss)
            total += loss.item()
    return PhaseLosses(contrastive=total / max(steps, 1))


def pretrain(
    model: DualEncoder, dataset: StudyDataset, settings: TrainingSettings, *, seed: int, check: Check = keep_going
) -> PhaseLosses:
    """Trains the whole model for T2 steps on L + λ R, bound to a frozen copy of where it starts; in place.

    Args:
        model: encoders of the round's start with the ideal alignment: the student starts from the teacher.
        dataset: the site's training split, at least one batch.
        settings: T2 = ``pretrain_steps``, λ = ``binding_weight`` and the rest.
        seed: of this site, round and phase.
        check: called before every step; raises to stop.
    """
    torch.manual_seed(seed)
    teacher = frozen_copy(model) if settings.binding_weight > 0 else None
    model.train()
    device = model.log_logit_scale.device
    stepper = Stepper(model.parameters(), settings, learning_rate=settings.learning_rate)
    steps, contrastive, binding, shared = settings.pretrain_steps, 0.0, 0.0, 0.0
    batches = training_batches(
        dataset, batch_size=settings.batch_size, steps=steps, seed=seed, workers=settings.workers
    )
    for batch in batches:
        check()
        batch = batch.to(device)
        student: Embeddings = model(*batch.inputs)
        loss = info_nce_loss(student.image, student.text, model.logit_scale, batch.groups)
        contrastive += loss.item()
        shared += duplicates(batch.groups).float().sum().item() / (len(batch.groups) * (len(batch.groups) - 1))
        if teacher is not None:
            with torch.no_grad():
                target = teacher(*batch.inputs)
            distance = binding_loss(*student, *target)
            loss = loss + settings.binding_weight * distance
            binding += distance.item()
        stepper.step(loss)
    return PhaseLosses(contrastive / steps, binding / steps, shared / steps)
