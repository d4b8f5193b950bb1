"""How strongly a phase is bound to its teacher."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from fedaid.losses.contrastive import info_nce_loss
from fedaid.training.features import FeatureStore
from fedaid.training.processes.process_group import gathered
from fedaid.training.settings import TrainingSettings
from fedaid.training.teacher import KeptTeacher


def scheduled_weight(settings: TrainingSettings, *, round_number: int, teacher_quality: Callable[[], float]) -> float:
    """λ of a round's second phase.

    A hard bond to a teacher that knows nothing yet slows learning: ``warmup`` starts from 0 in round 0 and reaches
    ``binding_weight`` in round ``binding_warmup_rounds``; ``teacher`` multiplies it by the teacher's quality.

    Args:
        settings: with ``binding_weight`` and ``binding_schedule``.
        round_number: from 0.
        teacher_quality: asked only where the schedule needs it; in [0, 1].

    Returns:
        In [0, ``binding_weight``].
    """
    if settings.binding_weight == 0:
        return 0.0
    if settings.binding_schedule == "warmup":
        return settings.binding_weight * min(1.0, round_number / settings.binding_warmup_rounds)
    return settings.binding_weight * (teacher_quality() if settings.binding_schedule == "teacher" else 1.0)


def binds_to_kept_teacher(settings: TrainingSettings, *, round_number: int) -> bool:
    """Whether a round's second phase will embed its samples with a kept teacher, as far as that is known before it."""
    weight = scheduled_weight(settings, round_number=round_number, teacher_quality=lambda: 1.0)
    return settings.teacher_view == "kept" and weight > 0


@torch.no_grad()
def quality_of(teacher: KeptTeacher, features: FeatureStore, settings: TrainingSettings, *, scale: Tensor) -> float:
    """How well a teacher tells the pairs of the phase's own batches apart: 1 − L / log B, in [0, 1].

    L is its mean InfoNCE loss over the batches. Unrelated embeddings have about log B and so a quality of about 0; that
    is why worse ones are taken as 0 as well.

    Args:
        teacher: whose kept embeddings are looked at.
        features: with the rows of the phase's batches and which of them have the same text.
        settings: B and the number of batches.
        scale: the teacher's logit scale.
    """
    losses = []
    for rows in features.plan[: settings.pretrain_steps]:
        image, text = map(gathered, teacher(rows))
        losses.append(info_nce_loss(image, text, scale, gathered(features.groups(rows))))
    loss = torch.stack(losses).mean().item()
    return min(1.0, max(0.0, 1 - loss / math.log(settings.batch_size)))
