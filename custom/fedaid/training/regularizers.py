"""The terms that phase two adds to the contrastive loss; a weight above 0 turns a term on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import NamedTuple

from torch import Tensor

from fedaid.losses.binding import binding_loss, similarity_binding_loss
from fedaid.losses.drift import model_contrastive_loss, proximal_loss
from fedaid.models.dual_encoder import DualEncoder, Embeddings
from fedaid.training.accumulation import Inputs
from fedaid.training.binding_schedule import quality_of, scheduled_weight
from fedaid.training.features import FeatureStore, Rows
from fedaid.training.model_tensors import Arrays, holding
from fedaid.training.processes.process_group import gathered
from fedaid.training.settings import TrainingSettings
from fedaid.training.teacher import FreshTeacher, KeptTeacher

Kept = Callable[[], KeptTeacher]


class StepInputs(NamedTuple):
    """This process's share of a batch.

    Attributes:
        rows: (B,) of the training split.
        inputs: what is embedded: images and texts, or features.
        groups: (B,), equal for rows with the same text.
    """

    rows: Rows
    inputs: Inputs
    groups: Tensor


class Step(NamedTuple):
    """A step before its gradients: this process's inputs, and the student's embeddings (B, D) of the whole batch."""

    share: StepInputs
    student: Embeddings


@dataclass(frozen=True)
class Regularizer:
    """A term of the loss.

    Attributes:
        name: of its mean, a field of :class:`PhaseLosses`.
        weight: its factor, above 0.
        value: of one step, a scalar without the weight.
    """

    name: str
    weight: float
    value: Callable[[Step], Tensor]


def regularizers(
    model: DualEncoder,
    features: FeatureStore,
    settings: TrainingSettings,
    *,
    round_number: int,
    previous: Arrays,
    check: Callable[[], None],
) -> list[Regularizer]:
    """The terms of the settings; create them before the first step, while the model is still at its start.

    Args:
        model: at the start of the phase; left in evaluation mode.
        features: under its encoders, with the phase's batches.
        settings: with the weights.
        round_number: from 0.
        previous: the site's model at the end of the previous round; empty if there was none.
        check: called regularly; raises to stop.
    """
    kept = cache(lambda: KeptTeacher(model, features, settings, check=check))
    return [
        *binding(model, features, settings, round_number=round_number, kept=kept),
        *proximal(model, settings),
        *model_contrast(model, features, settings, previous=previous, kept=kept, check=check),
    ]


def binding(
    model: DualEncoder, features: FeatureStore, settings: TrainingSettings, *, round_number: int, kept: Kept
) -> list[Regularizer]:
    """λ R(θ; T): binds the student to the ideal alignment, which it starts from."""
    scale = model.logit_scale.detach().clone()
    quality = lambda: quality_of(kept(), features, settings, scale=scale)  # noqa: E731
    weight = scheduled_weight(settings, round_number=round_number, teacher_quality=quality)
    if weight == 0:
        return []
    teacher = FreshTeacher(model, settings) if settings.teacher_view == "fresh" else kept()
    forms: dict[str, Callable[..., Tensor]] = {
        "points": binding_loss,
        "similarity": partial(similarity_binding_loss, logit_scale=scale),
    }
    distance = forms[settings.binding_form]

    def value(step: Step) -> Tensor:
        """R of one step."""
        return distance(*step.student, *map(gathered, teacher(step.share.rows, step.share.inputs)))

    return [Regularizer("binding", weight, value)]


def proximal(model: DualEncoder, settings: TrainingSettings) -> list[Regularizer]:
    """μ/2 ‖θ − θ₀‖² of FedProx over all trained weights: pulls them towards their start."""
    if settings.proximal_weight == 0:
        return []
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    start = [weight.detach().clone() for weight in weights]
    return [Regularizer("proximal", settings.proximal_weight, lambda step: proximal_loss(weights, start))]


def model_contrast(
    model: DualEncoder,
    features: FeatureStore,
    settings: TrainingSettings,
    *,
    previous: Arrays,
    kept: Kept,
    check: Callable[[], None],
) -> list[Regularizer]:
    """μ ℓ of MOON, the mean of both modalities: towards the phase's start and away from the site's previous model.

    Both models embed each sample once and without augmentation, as a kept teacher does. That is one more encoder pass
    over the phase's samples for the previous model, none for the start if the binding needs it too, and no second model
    in memory. MOON itself embeds the augmented batch of every step with both models.
    """
    if settings.moon_weight == 0 or not previous:
        return []
    start = kept()
    with holding(model, previous):
        store = FeatureStore(model, features.dataset, settings, step_rows=features.step_rows)
        own = KeptTeacher(model, store, settings, check=check)
    loss = partial(model_contrastive_loss, temperature=settings.moon_temperature)

    def value(step: Step) -> Tensor:
        """MOON's term of one step, the mean of both modalities."""
        rows = step.share.rows
        towers = zip(step.student, map(gathered, start(rows)), map(gathered, own(rows)), strict=True)
        image, text = (loss(*tower) for tower in towers)
        return (image + text) / 2

    return [Regularizer("moon", settings.moon_weight, value)]
