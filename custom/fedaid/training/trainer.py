"""The two phases of a round, at one site."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import MappingProxyType

import torch
from torch import Tensor

from fedaid.data.dataset import Batch
from fedaid.losses.contrastive import duplicates, info_nce_loss
from fedaid.models.dual_encoder import DualEncoder, Embeddings
from fedaid.training.accumulation import Inputs, embed_in_parts
from fedaid.training.batches import training_batches
from fedaid.training.features import FeatureStore
from fedaid.training.hardware import autocast
from fedaid.training.model_tensors import Arrays
from fedaid.training.optimizer import Stepper
from fedaid.training.processes.process_group import gathered, process_number, synchronized
from fedaid.training.regularizers import Step, regularizers
from fedaid.training.settings import TrainingSettings
from fedaid.training.teacher import frozen_encoders

Check = Callable[[], None]
NOTHING: Arrays = MappingProxyType({})


def keep_going() -> None:
    """The check of a phase that nobody may interrupt."""


@dataclass(frozen=True)
class PhaseLosses:
    """Means over the steps of a phase; what was not used is 0.

    Attributes:
        contrastive: L in nats.
        binding: R without its weight.
        duplicates: share of the pairs of a batch that have the same text and so are no negatives, in [0, 1].
        binding_weight: λ as its schedule had it in this round.
        proximal: ½ ‖θ − θ₀‖², without its weight.
        moon: the model-contrastive term, without its weight.
    """

    contrastive: float = 0.0
    binding: float = 0.0
    duplicates: float = 0.0
    binding_weight: float = 0.0
    proximal: float = 0.0
    moon: float = 0.0


class StepLosses:
    """What the steps of a phase give, on the model's device, so that no step waits for a number."""

    def __init__(self) -> None:
        self._given: defaultdict[str, list[Tensor]] = defaultdict(list)

    def add(self, name: str, loss: Tensor) -> None:
        """Takes note of a loss of one step; its name is a field of :class:`PhaseLosses`."""
        self._given[name].append(loss.detach())

    def means(self) -> PhaseLosses:
        """Their means."""
        return PhaseLosses(**{name: torch.stack(losses).mean().item() for name, losses in self._given.items()})


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
            losses.add("contrastive", loss)
    return losses.means()


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
    """Trains the whole model for T2 steps on L + λ R and whatever else the settings add; in place.

    Args:
        model: encoders of the round's start with the ideal alignment: the student starts from the teacher.
        features: of the site's training split under those encoders, with the round's batches; emptied on the way.
        settings: T2 = ``pretrain_steps``, λ = ``binding_weight`` and the rest.
        seed: of this site, round and phase.
        round_number: from 0, for what is scheduled.
        previous: the site's own model at the end of the round before; empty where there is none.
        check: called before every step; raises to stop.
    """
    torch.manual_seed(seed + process_number())
    terms = regularizers(model, features, settings, round_number=round_number, previous=previous, check=check)
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
        losses.add("contrastive", loss)
        losses.add("duplicates", duplicates(groups).float().sum() / (len(groups) * (len(groups) - 1)))
        for term in terms:
            value = term.value(Step(rows, batch, student))
            loss = loss + term.weight * value
            losses.add(term.name, value)
        stepper.step(loss)
    bound = sum((term.weight for term in terms if term.name == "binding"), start=0.0)
    return replace(losses.means(), binding_weight=bound)


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
