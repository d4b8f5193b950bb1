"""The memory of a training step and of an encoder pass, by running the model on tensors without content.

torch's fake tensors have shapes and types, and no bytes. So the activations of any encoder are counted, in any
precision, in about a second and without the memory for them.
"""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from fedaid.losses.contrastive import info_nce_loss
from fedaid.models.configuration import without_folders
from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.features import MANY
from fedaid.training.hardware import autocast, checkpoint_encoders
from fedaid.training.settings import TrainingSettings

CPU = torch.device("cpu")


@dataclass(frozen=True)
class StepPeak:
    """Bytes above the model's weights.

    Attributes:
        training: of a step: activations, gradients and what the operations need besides.
        features: of an encoder pass of phase two's teacher, which keeps no activations.
        cached: of the encoder outputs of one pair, with a text of full length.
    """

    training: int
    features: int
    cached: int


def step_peak(configuration: Mapping[str, Any], settings: TrainingSettings) -> StepPeak:
    """Return the peaks for a job's model and training settings; equal ones are computed once.

    Args:
        configuration: constructor arguments of the model.
        settings: of local training. With parts of a batch or several processes, it is the peak of one of them.
    """
    return computed(json.dumps(without_folders(configuration), sort_keys=True), json.dumps(asdict(settings)))


@cache
def computed(configuration: str, settings: str) -> StepPeak:
    """Return the peaks for arguments as JSON, which can be keys of a cache."""
    given, chosen = json.loads(configuration), TrainingSettings(**json.loads(settings))
    with torch.device("meta"):
        model = DualEncoder(**given)
    if chosen.gradient_checkpointing:
        checkpoint_encoders(model)
    with FakeTensorMode(allow_non_fake_inputs=True):
        model = model.to_empty(device="cpu")
        pairs = max(1, chosen.pairs_at_once // chosen.processes)
        training = peak_of(model, lambda: training_step(model, pairs, chosen))
        many = pairs if chosen.micro_batch_size else max(pairs, min(MANY, later_samples(chosen)))
        features = peak_of(model, lambda: encoder_pass(model, many, chosen))
        cached = sum(part.nbytes for part in encoder_pass(model, 1, chosen))
    return StepPeak(training, features, cached)


def later_samples(settings: TrainingSettings) -> int:
    """Return how many samples phase two may have that phase one has not; its teacher embeds them together."""
    return max(0, settings.pretrain_steps - settings.align_steps) * settings.batch_size


def training_step(model: DualEncoder, pairs: int, settings: TrainingSettings) -> None:
    """Take a step without the optimizer: forward pass, loss, backward pass."""
    model.train()
    with autocast(settings.precision, CPU):
        embeddings = model(*made_up_batch(model, pairs))
    loss = info_nce_loss(embeddings.image, embeddings.text, model.logit_scale, torch.arange(pairs))
    loss.backward()  # type: ignore[no-untyped-call]


@torch.no_grad()
def encoder_pass(model: DualEncoder, pairs: int, settings: TrainingSettings) -> tuple[Tensor, Tensor]:
    """Return the encoder outputs of both towers."""
    model.eval()
    images, token_ids, mask = made_up_batch(model, pairs)
    with autocast(settings.precision, CPU):
        return model.image_features(images), model.text_features(token_ids, mask)


def made_up_batch(model: DualEncoder, pairs: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return images, token ids and mask of texts of full length."""
    side, tokens = (model.configuration[name] for name in ("image_size", "max_tokens"))
    shape = (pairs, tokens)
    return torch.zeros(pairs, 1, side, side), torch.zeros(shape, dtype=torch.long), torch.ones(shape, dtype=torch.bool)


def peak_of(model: torch.nn.Module, run: Callable[[], object]) -> int:
    """Return the bytes of the tensors at the moment of ``run`` when there are most, without those of the model."""
    living = LivingTensors([*model.parameters(), *model.buffers()])
    with living:
        run()
    model.zero_grad(set_to_none=True)
    return living.most


class LivingTensors(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows which tensors exist.

    Args:
        known: tensors that are not counted.

    Attributes:
        most: bytes of the tensors at the moment when there were most.
    """

    def __init__(self, known: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.most = self._now = 0
        self._known = {tensor.untyped_storage()._cdata for tensor in known}

    def __torch_dispatch__(
        self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Runs an operation and counts the tensors that it makes; views of others have no bytes of their own."""
        made = function(*args, **(kwargs or {}))
        for tensor in tree_iter(made):
            if isinstance(tensor, Tensor):
                self._note(tensor.untyped_storage())
        return made

    def _note(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key not in self._known:
            self._known.add(key)
            self._now += size
            self.most = max(self.most, self._now)
            weakref.finalize(storage, self._forget, key, size)

    def _forget(self, key: int, size: int) -> None:
        self._known.discard(key)
        self._now -= size
