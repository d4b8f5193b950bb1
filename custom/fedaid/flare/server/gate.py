"""The gate: a site's update is judged as a whole before it touches any sum."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fedaid.flare.wire.tasks import MOST_FIELDS, UpdateMessage

Specs = Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]]  # name → shape, type

LARGEST_COUNT = 10**9
LONGEST_NAME = 40  # characters, of a metric or a reason
LARGEST_METRIC = 1e6  # a loss is in nats and about log B, a recall at most 1
LARGEST_NORM = 1e6  # Euclidean; far above any sound update


class RefusedUpdate(ValueError):
    """An update that is not taken; the text gives site, round, tensor or field, and reason."""


class Gate:
    """Takes at most one update of each site in one phase of one round, and only a whole and sound one.

    Args:
        phase: ``align`` or ``pretrain``.
        round_number: the only round that is let in.
        template: name → tensor of the part of the model that this phase moves; an update must match its names, shapes
            and types.
        sites: names of the sites that were asked, as FLARE authenticated them.
        needs: metrics that must be there.
        largest_norm: bound of the update's Euclidean norm.

    Attributes:
        accepted: site → update.
        refused: site → why its last update was not taken.
    """

    def __init__(
        self,
        *,
        phase: str,
        round_number: int,
        template: Mapping[str, NDArray[Any]],
        sites: list[str],
        needs: tuple[str, ...] = (),
        largest_norm: float = LARGEST_NORM,
    ) -> None:
        self.phase, self.round_number = phase, round_number
        self._specs = specs_of(template)
        self.sites, self._needs, self._largest_norm = set(sites), needs, largest_norm
        self._open = True
        self.accepted: dict[str, UpdateMessage] = {}
        self.refused: dict[str, str] = {}

    def close(self) -> dict[str, UpdateMessage]:
        """No update enters any more; returns the accepted ones in the order of site names."""
        self._open = False
        return {site: self.accepted[site] for site in sorted(self.accepted)}

    def accept(self, site: str, update: UpdateMessage) -> None:
        """Takes the update of the authenticated ``site``.

        Raises:
            RefusedUpdate: nothing of the update is kept.
        """
        try:
            self._judge_sender(site, update)
            self._judge_counts(update)
            judge_metrics(update.metrics, needs=self._needs)
            norm = judge_tensors(update.delta, self._specs)
            demand(norm <= self._largest_norm, f"its norm must be at most {self._largest_norm:g}, got {norm:g}")
        except ValueError as reason:
            raise self.refuse(site, reason) from reason
        self.accepted[site] = update

    def refuse(self, site: str, reason: ValueError) -> RefusedUpdate:
        """Notes why the update of ``site`` is not taken; the refusal, to be raised or logged."""
        refusal = RefusedUpdate(f"update of site {site} in {self.phase} of round {self.round_number} refused: {reason}")
        self.refused[site] = str(refusal)
        return refusal

    def _judge_sender(self, site: str, update: UpdateMessage) -> None:
        demand(self._open, "the phase is over")
        demand(site in self.sites, "the site was not asked")
        demand(site not in self.accepted, "the site has answered already")
        demand(update.round_number == self.round_number, "it answers another round")

    def _judge_counts(self, update: UpdateMessage) -> None:
        demand(is_count(update.pairs) and update.pairs > 0, "pairs must be in 1..1e9")
        demand(len(update.skipped) <= MOST_FIELDS, "too many fields")
        for reason, count in update.skipped.items():
            demand(is_name(reason) and is_count(count), "skipped must map short reasons to counts")


def specs_of(tensors: Mapping[str, NDArray[Any]]) -> Specs:
    """Shape and type of each tensor."""
    return {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()}


def judge_tensors(tensors: Mapping[str, Any], specs: Specs) -> float:
    """The Euclidean norm of all tensors together; raises ``ValueError`` unless they are finite and as ``specs`` say."""
    missing, extra = sorted(specs.keys() - tensors.keys()), sorted(map(str, tensors.keys() - specs.keys()))
    demand(not missing, f"tensor {missing[:1]} is missing ({len(missing)} in all)")
    demand(not extra, f"tensor {[name[:80] for name in extra[:1]]} is not of the model ({len(extra)} in all)")
    square = 0.0
    for name, (shape, dtype) in specs.items():
        tensor = tensors[name]
        demand(type(tensor) is np.ndarray, f"tensor {name} must be a numpy array")
        demand(tensor.dtype == dtype, f"tensor {name} must have type {dtype}, got {tensor.dtype}")
        demand(tensor.shape == shape, f"tensor {name} must have shape {shape}, got {tensor.shape}")
        demand(bool(np.isfinite(tensor).all()), f"tensor {name} must be finite")
        with np.errstate(over="ignore"):
            square += float(np.square(tensor, dtype=np.float64).sum())
    return math.sqrt(square)


def judge_metrics(metrics: Mapping[str, Any], *, needs: tuple[str, ...]) -> None:
    """Raise ``ValueError`` unless all metrics are finite numbers of at least 0 and the needed ones are among them."""
    demand(len(metrics) <= MOST_FIELDS, "too many fields")
    for name in needs:
        demand(name in metrics, f"metric {name} is missing")
    for name, value in metrics.items():
        sound = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= LARGEST_METRIC
        demand(is_name(name), "metric names must be short texts")
        demand(sound, f"metric {name} must be a finite number of at least 0")


def is_name(name: object) -> bool:
    """Whether this is a short text in one line, fit to be a key of the run's record and a part of its log."""
    return isinstance(name, str) and len(name) <= LONGEST_NAME and name.isprintable()


def is_count(value: object) -> bool:
    """Whether this is a whole number in 0..1e9; a bool is no number."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_COUNT


def demand(condition: bool, reason: str) -> None:
    """Raise ``ValueError`` with the reason unless the condition holds."""
    if not condition:
        raise ValueError(reason)
