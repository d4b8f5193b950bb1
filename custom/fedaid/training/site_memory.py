"""The tensors of its model that a site stores from one round to the next; they do not leave the site."""

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
    """Tensors of the site's model at the end of its last phase two: all for MOON, batch norm for local normalisation.

    A new process starts as in the site's first round, unless :attr:`tensors` of the old process are assigned to it.

    Args:
        model: for the names of its tensors.
        settings: nothing is stored unless ``moon_weight`` or ``local_normalisation`` asks for it.

    Attributes:
        tensors: name → stored array; empty before the end of the first phase two.

    Raises:
        InputError: if ``local_normalisation`` is set and the model has no batch norm.

    Source: FedBN, arXiv:2102.07623, where all tensors of batch norm stay at the site. Here the server also averages
    them, for new sites and for users of the model.
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
        """The site's whole model of the previous round; empty if there was none or the settings do not need it."""
        return self.tensors if self._whole else {}

    def localised(self, sent: Arrays) -> Arrays:
        """The tensors from the server, with the site's batch norm instead of the server's once the site has one."""
        local = self._local & sent.keys()
        self._sent |= {name: sent[name] for name in local}
        return {**sent, **{name: self.tensors[name] for name in local & self.tensors.keys()}}

    def keep(self, model: nn.Module) -> None:
        """Stores the tensors that the settings need, at the end of phase two."""
        if self._whole:
            self.tensors = tensors_of(model)
        elif self._local:
            self.tensors = tensors_of(model, lambda name: name in self._local)

    def relative(self, delta: Arrays) -> dict[str, NDArray[Any]]:
        """The update to send; for batch norm it is the difference from the server's tensors to the site's.

        So the server's batch norm becomes the weighted mean of the sites', whatever each of them started from. A mean
        of the changes could make a variance negative: a site's variance may decrease by more than the server's value.

        Args:
            delta: end − start of all tensors, after :meth:`keep`.
        """
        own = {name: np.asarray(self.tensors[name] - self._sent[name]) for name in self._local & self._sent.keys()}
        return {**delta, **own}
