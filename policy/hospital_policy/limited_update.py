"""Clips an update and adds noise to it; learned tensors, running statistics and whole numbers each in their own way."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hospital_policy.rules import WITHHOLD, PolicyFault, Rules

Arrays = Mapping[str, NDArray[Any]]
Forms = Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]]  # name → shape and type
STATISTICS = ("running_mean", "running_var")  # last part of the name of a running statistic


@dataclass(frozen=True)
class LimitedUpdate:
    """An update that may leave.

    Attributes:
        tensors: name → array.
        norm: of the learned tensors before clipping.
        factor: by which the learned tensors were multiplied, at most 1.
        statistics_norm, statistics_factor: the same of the running statistics; a factor of 0 means withheld.
    """

    tensors: dict[str, NDArray[Any]]
    norm: float
    factor: float
    statistics_norm: float
    statistics_factor: float


def formed(tensors: Mapping[str, Any], model: Forms) -> dict[str, NDArray[Any]]:
    """The tensors of an update in the types of the model.

    Args:
        tensors: what the executor and the filters before this one have made.
        model: the tensors that the server has sent in this job.

    Raises:
        PolicyFault: if a tensor is not of the model, has another shape, or holds something else than finite numbers.
    """
    found = {}
    for name, value in tensors.items():
        if name not in model:
            raise PolicyFault(f"tensor {str(name)[:80]} must be of the model")
        shape, dtype = model[name]
        if type(value) is not np.ndarray and not isinstance(value, np.generic):
            raise PolicyFault(f"tensor {name[:80]} must be a numpy array, got {type(value).__name__}")
        array = np.asarray(value)
        if array.shape != shape or array.dtype.kind not in "fiub":
            got = f"shape {array.shape} and type {array.dtype}"
            raise PolicyFault(f"tensor {name[:80]} must have shape {shape} and hold numbers, got {got}")
        with np.errstate(over="ignore", invalid="ignore"):
            cast = array.astype(dtype)
        if not np.isfinite(cast).all():
            raise PolicyFault(f"tensor {name[:80]} must be finite")
        if dtype.kind != "f" and (cast.any() or array.any()):
            raise PolicyFault(f"tensor {name[:80]} of whole numbers must not move")
        found[name] = cast
    if not found:
        raise PolicyFault("an update must hold at least one tensor")
    return found


def limited(
    tensors: Arrays, rules: Rules, *, moving: Collection[str] = (), rng: np.random.Generator | None = None
) -> LimitedUpdate:
    """Returns the update within the rules.

    The learned tensors, all together, are scaled to the norm ``clip``; so are the running statistics to theirs. Then
    each number of the ``moving`` tensors gets Gaussian noise.

    Args:
        tensors: of :func:`formed`.
        rules: of the hospital.
        moving: names of the learned tensors that are trained; the others are frozen, and get no noise.
        rng: of the noise; None for a new one, seeded by the operating system.
    """
    learned = sorted(name for name, tensor in tensors.items() if tensor.dtype.kind == "f" and not is_statistic(name))
    statistics = sorted(name for name in tensors if is_statistic(name))
    norm, statistics_norm = norm_of(tensors, learned), norm_of(tensors, statistics)
    factor = factor_of(norm, rules.clip)
    other = 0.0 if rules.statistics == WITHHOLD else factor_of(statistics_norm, rules.statistics_clip)
    found = dict(tensors)
    found |= {name: scaled(tensors[name], other) for name in statistics}
    noisy = set(moving) & set(learned) if rules.noise else set()
    draw = rng or np.random.default_rng()
    for name in learned:
        deviation = rules.noise * (rules.clip or 0.0) if name in noisy else 0.0
        found[name] = scaled(tensors[name], factor, deviation=deviation, rng=draw)
    return LimitedUpdate(found, norm, factor, statistics_norm, other)


def norm_of(tensors: Arrays, names: Collection[str]) -> float:
    """The Euclidean norm of these tensors together, in float64."""
    return math.sqrt(sum(float(np.square(tensors[name], dtype=np.float64).sum()) for name in sorted(names)))


def factor_of(norm: float, largest: float | None) -> float:
    """The factor in (0, 1] that brings a norm to at most ``largest``."""
    return 1.0 if largest is None or norm <= largest else largest / norm


def scaled(
    tensor: NDArray[Any], factor: float, *, deviation: float = 0.0, rng: np.random.Generator | None = None
) -> NDArray[Any]:
    """A tensor times a factor, plus noise; the same array if neither changes it."""
    if factor == 1.0 and not deviation:
        return tensor
    changed = tensor.astype(np.float64) * factor
    if deviation and rng is not None:
        changed = changed + rng.normal(0.0, deviation, tensor.shape)
    return np.asarray(changed, tensor.dtype)


def is_statistic(name: str) -> bool:
    """Whether a tensor is a running statistic of the site's images; it is measured, not trained."""
    return name.rpartition(".")[2] in STATISTICS
