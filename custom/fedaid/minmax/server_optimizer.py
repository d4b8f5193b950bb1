"""The server's optimizer, for the weighted sum of a round's updates: a plain step, momentum, or Adam."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from fedaid.errors import require
from fedaid.minmax.settings import CORRECT, WHERE, require_number
from fedaid.minmax.weighted_average import Tensors, apply

OPTIMIZERS = ("sgd", "momentum", "adam")
FIRST, SECOND = "first_moment/", "second_moment/"  # prefixes of a tensor's name in the state
EMPTY: Tensors = MappingProxyType({})
Change = NDArray[np.float64]


@dataclass(frozen=True)
class ServerOptimizerSettings:
    """Settings of the server's optimizer.

    Attributes:
        server_optimizer: ``sgd`` adds η Σ α_i Δ_i; ``momentum`` is FedAvgM, ``adam`` FedAdam.
        server_learning_rate: η in (0, 1]. With ``sgd`` it also scales running variances, and above 1 one could become
            negative. ``momentum`` moves by up to η / (1 − β) times a constant sum. For ``adam`` it is about the size of
            a round's step in each coordinate: use 0.01, because 1 would destroy the model.
        server_momentum: β of ``momentum``, β₁ of ``adam``, in [0, 1).
        server_second_moment: β₂ of ``adam``, in [0, 1).
        server_epsilon: τ of ``adam``, above 0.

    Raises:
        InputError: naming the setting.
    """

    server_optimizer: str = "sgd"
    server_learning_rate: float = 1.0
    server_momentum: float = 0.9
    server_second_moment: float = 0.99
    server_epsilon: float = 1e-3

    def __post_init__(self) -> None:
        kind, rule = self.server_optimizer, f"be one of {', '.join(OPTIMIZERS)}"
        require(kind in OPTIMIZERS, "server_optimizer", rule, got=repr(kind), where=WHERE, remedy=CORRECT)
        remedy = "Use 1.0, or less to move the model more slowly."
        rate = self.server_learning_rate
        require_number("server_learning_rate", rate, "be in (0, 1]", holds=lambda x: 0 < x <= 1, remedy=remedy)
        for name in ("server_momentum", "server_second_moment"):
            require_number(name, getattr(self, name), "be in [0, 1)", holds=lambda x: 0 <= x < 1)
        rule = "be a finite number above 0"
        require_number("server_epsilon", self.server_epsilon, rule, holds=lambda x: x > 0)


class ServerOptimizer:
    """Moves the model by the sum of each round; its moments are part of the run's state.

    Momentum and Adam apply to trained tensors only. Statistics (running means and variances, counters) take the plain
    sum, so a running variance stays a weighted mean of the sites' variances, and positive.

    Args:
        settings: of the optimizer.
        is_statistic: whether the tensor of a name is a statistic; tensors of whole numbers always are.
        state: of an earlier optimizer, to continue it.

    Attributes:
        state: name → moment, with the type and shape of the model's tensor; empty for ``sgd``.

    Source: ``momentum`` is FedAvgM (Hsu et al., arXiv:1909.06335): v ← β v + Δ, θ ← θ + η v. ``adam`` is FedAdam (Reddi
    et al., arXiv:2003.00295, algorithm 2): m ← β₁ m + (1 − β₁) Δ, v ← β₂ v + (1 − β₂) Δ², θ ← θ + η m / (√v + τ), with
    m = 0 and v = τ² at the start and without bias correction. Their Δ is a mean of the sites' updates, by pairs or
    uniform; here it is Σ α_i Δ_i.
    """

    def __init__(
        self,
        settings: ServerOptimizerSettings,
        *,
        is_statistic: Callable[[str], bool] = lambda name: False,
        state: Tensors = EMPTY,
    ) -> None:
        self._settings, self._is_statistic = settings, is_statistic
        self.state: dict[str, NDArray[np.generic]] = dict(state)

    def moved(self, base: Tensors, change: Mapping[str, Change]) -> Tensors:
        """``base`` after the round's sum ``change``, each tensor in the type of ``base``; called once for each tensor.

        A tensor that is not in ``change`` has a sum of zeros. The moments of a tensor start with its first change, so a
        frozen tensor has none.
        """
        rate = self._settings.server_learning_rate
        if self._settings.server_optimizer == "sgd":
            return apply(base, change, scale=rate)
        moved: dict[str, NDArray[np.generic]] = {}
        for name, tensor in base.items():
            if tensor.dtype.kind != "f" or self._is_statistic(name):
                moved |= apply({name: tensor}, change)
                continue
            total = change.get(name, np.zeros(tensor.shape))
            known = FIRST + name in self.state or total.any()
            step = {name: self._direction(name, total, tensor.dtype)} if known else {}
            moved |= apply({name: tensor}, step, scale=rate)
        return moved

    def _direction(self, name: str, total: Change, dtype: np.dtype[np.generic]) -> Change:
        """The step of a tensor without the learning rate, from the sum of the round and its moments."""
        beta = self._settings.server_momentum
        if self._settings.server_optimizer == "momentum":
            return self._remember(FIRST + name, beta * self._recalled(FIRST + name, total, 0.0) + total, dtype)
        beta2, epsilon = self._settings.server_second_moment, self._settings.server_epsilon
        first = beta * self._recalled(FIRST + name, total, 0.0) + (1 - beta) * total
        second = beta2 * self._recalled(SECOND + name, total, epsilon**2) + (1 - beta2) * total**2
        self._remember(FIRST + name, first, dtype)
        self._remember(SECOND + name, second, dtype)
        return np.asarray(first / (np.sqrt(second) + epsilon))

    def _recalled(self, key: str, like: Change, start: float) -> Change:
        kept = self.state.get(key)
        return np.full(like.shape, start) if kept is None else kept.astype(np.float64)

    def _remember(self, key: str, moment: Change, dtype: np.dtype[np.generic]) -> Change:
        self.state[key] = np.asarray(moment, dtype=dtype)
        return moment
