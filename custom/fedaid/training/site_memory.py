"""What a site keeps of its own model from one round to the next; it never leaves the site as such."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from fedaid.errors import require
from fedaid.models.tensor_names import batch_norm_names
from fedaid.training.model_tensors import Arrays, tensors_of
from fedaid.training.settings import WHERE, TrainingSettings


class SiteMemory:
    """The model that the site's last phase two ended with: all of it for MOON, its batch norm for local normalisation.

    A site that has lost it (a new process that nobody gave :attr:`tensors` of the old one) is as in its first round.

    Args:
        model: for the names of its tensors.
        settings: what to keep: nothing unless ``moon_weight`` or ``local_normalisation`` asks for it.

    Attributes:
        tensors: what is kept, name → array; empty before the end of the first phase two. Assign it to a new process's
            memory.

    Raises:
        InputError: if normalisation is to be local and the model has no batch norm.

    Source: FedBN, arXiv:2102.07623, which keeps all tensors of batch norm local. Here the server averages
    them all the same, for sites and users that have none of their own.
    """

    def __init__(self, model: nn.Module, settings: TrainingSettings) -> None:
        local, names = settings.local_normalisation, batch_norm_names(model)
        rule = "be false where no encoder has batch norm"
        remedy = "Use resnet, monai_resnet or monai_densenet121 as image_encoder, or leave it out."
        require(not local or bool(names), "local_normalisation", rule, got="true", where=WHERE, remedy=remedy)
        self._local: frozenset[str] = names if local else frozenset()
        self._whole = settings.moon_weight > 0
        self._sent: dict[str, NDArray[Any]] = {}
        self.tensors: Arrays = {}

    @property
    def previous(self) -> Arrays:
        """The site's whole model of the round before; empty where there is none or nobody asks for it."""
        return self.tensors if self._whole else {}

    def localised(self, sent: Arrays) -> Arrays:
        """What the server sent, with the site's own normalisation in place of the server's once it has one."""
        local = self._local & sent.keys()
        self._sent |= {name: sent[name] for name in local}
        return {**sent, **{name: self.tensors[name] for name in local & self.tensors.keys()}}

    def keep(self, model: nn.Module) -> None:
        """Keeps what is wanted of the model at the end of phase two."""
        if self._whole:
            self.tensors = tensors_of(model)
        elif self._local:
            self.tensors = {name: tensor for name, tensor in tensors_of(model).items() if name in self._local}

    def relative(self, delta: Arrays) -> dict[str, NDArray[Any]]:
        """The update as it leaves: that of normalisation is the way from the server's to the site's own.

        So the server's become the weighted mean of the sites' own, whatever each started from. A mean of mere changes
        could make a variance negative, since a site's variance may shrink by more than the server's has.

        Args:
            delta: end − start of all tensors, after :meth:`keep`.
        """
        own = {name: np.asarray(self.tensors[name] - self._sent[name]) for name in self._local & self._sent.keys()}
        return {**delta, **own}
