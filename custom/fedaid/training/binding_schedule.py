"""λ of a round: how strongly phase two is bound to its teacher."""

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

    A strong binding to an untrained teacher slows training. So ``warmup`` starts from 0 in round 0 and reaches
    ``binding_weight`` in round ``binding_warmup_rounds``, and ``teacher`` multiplies λ by the teacher's quality.

    Args:
        settings: with ``binding_weight`` and ``binding_schedule``.
        round_number: from 0.
        teacher_quality: in [0, 1]; called only if the schedule needs it.

    Returns:
        In [0, ``binding_weight``].
    """
    if settings.binding_weight == 0:
        return 0.0
    if settings.binding_schedule == "warmup":
        return settings.binding_weight * min(1.0, round_number / settings.binding_warmup_rounds)
    return settings.binding_weight * (teacher_quality() if settings.binding_schedule == "teacher" else 1.0)


def binds_to_kept_teacher(settings: TrainingSettings, *, round_number: int) -> bool:
    """Whether phase two of a round may use a kept teacher, from what is known before it starts."""
    weight = scheduled_weight(settings, round_number=round_number, teacher_quality=lambda: 1.0)
    return settings.teacher_view == "kept" and weight > 0


@torch.no_grad()
def quality_of(teacher: KeptTeacher, features: FeatureStore, settings: TrainingSettings, *, scale: Tensor) -> float:
    """The quality of a teacher on the pairs of the phase's batches: 1 − L / log B, in [0, 1].

    L is its mean InfoNCE loss over the batches. Unrelated embeddings have a loss of about log B and so a quality of
    about 0. A negative quality is set to 0.

    Args:
        teacher: with the embeddings of the phase's samples.
        features: with the rows of the phase's batches and their text groups.
        settings: B and the number of batches.
        scale: the teacher's logit scale.
    """
    losses = []
    for rows in features.step_rows[: settings.pretrain_steps]:
        image, text = map(gathered, teacher(rows))
        losses.append(info_nce_loss(image, text, scale, gathered(features.groups(rows))))
    loss = torch.stack(losses).mean().item()
    return min(1.0, max(0.0, 1 - loss / math.log(settings.batch_size)))
