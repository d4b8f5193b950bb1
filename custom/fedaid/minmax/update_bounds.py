"""Bounds of what one site can do to a round: the size of its update, its loss, and the model that a round ends with."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fedaid.minmax.settings import require_number

Arrays = Mapping[str, NDArray[Any]]
Test = Callable[[str], bool]  # of a tensor's name

FORMER_ROUNDS = 3  # whose accepted norms count
ENOUGH = 3  # norms of one phase that show by themselves which of them is too large
ROUNDING = 1e-5  # of a running variance: what rounding can take from it
SMALLEST_BATCH, LARGEST_BATCH = 64, 4096  # pairs; a site with fewer or more may have the losses of this many
LARGEST_LOSS = 4.0  # times log B; random embeddings give log B


@dataclass(frozen=True)
class BoundSettings:
    """How far a site's update may be above those of the other sites.

    Attributes:
        largest_norm_ratio: K, above 1. An update is refused if its norm is above K times the median, see
            :class:`NormBounds`; the model does not move if its step is above K times its own norm. None disables both.

    Raises:
        InputError: naming the setting.
    """

    largest_norm_ratio: float | None = 10.0

    def __post_init__(self) -> None:
        ratio = self.largest_norm_ratio
        if ratio is not None:
            require_number("largest_norm_ratio", ratio, "be a finite number above 1, or null", holds=lambda x: x > 1)

    @property
    def ratio(self) -> float:
        """K; infinite if it is disabled."""
        return math.inf if self.largest_norm_ratio is None else self.largest_norm_ratio


@dataclass(frozen=True)
class NormBounds:
    """The largest norm of an update in a phase, from all norms of the phase, whatever their order of arrival.

    It is K times the larger of two medians: that of the phase, and that of the norms accepted in the last rounds.
    So neither a run whose updates grow at every site nor a phase with few answers refuses an honest site. Norms of 0
    do not count. Three norms suffice without former ones, or two with them.

    Attributes:
        ratio: K.
        former: norms that were accepted in the last rounds.
    """

    ratio: float = math.inf
    former: tuple[float, ...] = ()

    def limit(self, norms: Collection[float]) -> float:
        """The largest norm that is accepted; infinite if there is nothing to compare with."""
        now, former = ([norm for norm in some if norm > 0] for some in (norms, self.former))
        known = [lower_median(former)] if former else []
        if len(now) >= (2 if former else ENOUGH):
            known.append(lower_median(now))
        return self.ratio * max(known) if known else math.inf


def lower_median(values: Collection[float]) -> float:
    """The median; of an even number of values the lower of the two in the middle."""
    return sorted(values)[(len(values) - 1) // 2]


def largest_loss(pairs: int) -> float:
    """The largest InfoNCE loss in nats that a site may report: four times log B, with B its pairs, in 64..4096."""
    return LARGEST_LOSS * math.log(min(max(pairs, SMALLEST_BATCH), LARGEST_BATCH))


def is_variance(name: str) -> bool:
    """Whether a tensor is a running variance."""
    return name.rpartition(".")[2] == "running_var"


def is_possible(variance: NDArray[Any], start: NDArray[Any]) -> bool:
    """Whether a running variance is at least 0, up to the rounding of the one that it started from."""
    return bool((variance >= -ROUNDING * np.abs(start) - np.finfo(np.float32).tiny).all())


def without_rounding(name: str, new: NDArray[Any], old: NDArray[Any]) -> NDArray[Any]:
    """A tensor, of which the running variances that rounding has taken below 0 are 0; any other one is unchanged."""
    if is_variance(name) and is_possible(new, old) and (new < 0).any():
        return np.asarray(np.maximum(new, 0))
    return new


def norm_of(tensors: Arrays) -> float:
    """The Euclidean norm of all tensors together, in float64."""
    return math.sqrt(sum(float(np.square(tensor, dtype=np.float64).sum()) for tensor in tensors.values()))


def model_fault(new: Arrays, old: Arrays, *, ratio: float, is_learned: Test) -> str:
    """Why a model must not replace the one before; empty if it may.

    Args:
        new: the model, or the part of it that moved.
        old: the same tensors before.
        ratio: the largest step, in norms of the old tensors; only learned tensors count.
        is_learned: whether a tensor is trained, and neither a statistic nor a counter.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        for name, tensor in new.items():
            if not np.isfinite(tensor).all():
                return f"tensor {name} is not finite"
            if is_variance(name) and not is_possible(tensor, old[name]):
                return f"tensor {name} is below 0"
        learned = [name for name in sorted(new) if is_learned(name) and new[name].dtype.kind == "f"]
        step = math.sqrt(sum(norm_of({name: new[name].astype(np.float64) - old[name]}) ** 2 for name in learned))
        limit = ratio * norm_of({name: old[name] for name in learned})
    return f"its step has norm {step:g}, above {limit:g}" if step > limit > 0 else ""
