"""The gate: judges a site's update as a whole before it enters any sum."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from nvflare.apis.shareable import Shareable
from safetensors import SafetensorError

from fedaid.flare.server.update_store import UpdateStore
from fedaid.flare.wire.messages import update_from_shareable
from fedaid.flare.wire.metric_rules import demand, is_count, is_name, judge_losses, judge_metrics
from fedaid.flare.wire.tasks import MOST_FIELDS, MalformedMessage, RunStamp, UpdateMessage
from fedaid.minmax.pair_bounds import PairBounds
from fedaid.minmax.update_bounds import NormBounds, is_possible, is_variance
from fedaid.models.tensor_names import is_statistic

Specs = Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]]  # name → shape, type

Unpack = Callable[[Shareable], UpdateMessage]

LEARNED, STATISTICS = "learned tensors", "statistics"
LARGEST_NORM = 1e6  # Euclidean; sound updates are far below


class RefusedAnswer(ValueError):
    """An answer that is not accepted; the text gives the site, the round, the tensor or field, and the reason."""


class BelowQuorum(RuntimeError):
    """Fewer sites than ``min_clients`` gave an answer that was accepted."""


class Gate:
    """Accepts at most one update of each site in one phase of one round, if all of it is sound.

    Args:
        phase: the task's name.
        round_number: the round that an update must answer.
        template: name → tensor of the part of the model that this phase moves, where the phase starts. An update must
            match its names, shapes and types, and leave its running variances at 0 or above.
        sites: names of the sites that were asked, as FLARE authenticated them.
        needs: required metrics.
        largest_norm: bound of the update's Euclidean norm.
        run: that an update must answer; None if the run cannot be continued by another job.
        bounds: of the norm of an update's learned tensors; judged when the phase ends, so that the order of arrival
            has no effect. The norm of its statistics is compared with those of the same phase only.
        pairs: bounds of the training pairs that a site reports.

    Attributes:
        accepted: site → update.
        refused: site → why its last update was not accepted.
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
        run: RunStamp | None = None,
        bounds: NormBounds | None = None,
        pairs: PairBounds | None = None,
    ) -> None:
        self.phase, self.round_number, self._run = phase, round_number, run
        self._specs = specs_of(template)
        self.sites, self._needs, self._largest_norm = set(sites), needs, largest_norm
        self._variances = {name: tensor for name, tensor in template.items() if is_variance(name)}
        self._bounds, self._norms = bounds or NormBounds(), dict[str, dict[str, float]]()
        self._pairs, self._open = pairs or PairBounds(), True
        self.accepted: dict[str, UpdateMessage] = {}
        self.refused: dict[str, str] = {}

    def close(self) -> dict[str, UpdateMessage]:
        """Ends the phase and returns the accepted updates in the order of site names; later ones are refused.

        What is too large beside the others is refused now: first numbers of pairs, then updates.
        """
        if self._open:
            self._open = False
            for judge in (self._too_many_pairs, self._too_large):
                for site, reason in judge().items():
                    del self.accepted[site]
                    self.refuse(site, ValueError(reason))
        return {site: self.accepted[site] for site in sorted(self.accepted)}

    @property
    def norms(self) -> dict[str, float]:
        """Site → norm of the learned tensors of its accepted update, in the order of site names."""
        return {site: self._norms[site][LEARNED] for site in sorted(self.accepted)}

    def _too_many_pairs(self) -> dict[str, str]:
        """Site → why it has too many pairs beside the others."""
        pairs = {site: update.pairs for site, update in self.accepted.items()}
        limits = self._pairs.too_many(pairs)
        rule = "pairs must be at most {}, 1,000 times the median of the other sites, got {}"
        return {site: rule.format(limit, pairs[site]) for site, limit in limits.items()}

    def _too_large(self) -> dict[str, str]:
        """Site → why its update is too large beside the others."""
        found: dict[str, str] = {}
        for part, bounds in ((LEARNED, self._bounds), (STATISTICS, replace(self._bounds, former=()))):
            norms = {site: self._norms[site][part] for site in sorted(self.accepted)}
            limit = bounds.limit(norms.values())
            rule = f"the norm of its {part} must be at most {limit:g}, {bounds.ratio:g} times the median"
            found |= {site: f"{rule}, got {norm:g}" for site, norm in norms.items() if norm > limit}
        return found

    def take(
        self, site: str, answer: Shareable, *, unpack: Unpack = update_from_shareable, store: UpdateStore | None = None
    ) -> None:
        """Unpacks the answer of the authenticated ``site`` and accepts it.

        Args:
            site: its name.
            answer: its message.
            unpack: for an answer of another kind.
            store: where the update's tensors go; without a store they stay in memory.

        Raises:
            RefusedAnswer: nothing of the answer is kept.
        """
        try:
            update = unpack(answer)
        except MalformedMessage as reason:
            raise self.refuse(site, reason) from reason
        self.accept(site, update)
        if store is not None:
            del self.accepted[site]  # until its tensors are on disk
            try:
                store.put(site, update.delta)
            except (OSError, SafetensorError) as error:
                text = f"the server could not write it to its disk ({type(error).__name__})"
                raise self.refuse(site, ValueError(text)) from error
            self.accepted[site] = replace(update, delta={})

    def accept(self, site: str, update: UpdateMessage) -> None:
        """Accepts the update of the authenticated ``site``.

        Raises:
            RefusedAnswer: nothing of the update is kept.
        """
        try:
            self._judge_sender(site, update)
            self._judge_counts(site, update)
            judge_metrics(update.metrics, needs=self._needs)
            judge_losses(update.metrics, pairs=update.pairs)
            self._norms[site] = self._judge_size(update)
        except ValueError as reason:
            raise self.refuse(site, reason) from reason
        self.accepted[site] = update

    def refuse(self, site: str, reason: ValueError) -> RefusedAnswer:
        """Notes why the update of ``site`` is not accepted, and returns the error to raise or to log."""
        refusal = RefusedAnswer(f"update of site {site} in {self.phase} of round {self.round_number} refused: {reason}")
        self.refused[site] = str(refusal)
        return refusal

    def _judge_sender(self, site: str, update: UpdateMessage) -> None:
        demand(self._open, "the phase is over")
        demand(site in self.sites, "the site was not asked")
        demand(site not in self.accepted, "the site has answered already")
        demand(update.run == self._run, "it answers another run or another attempt of this one")
        demand(update.round_number == self.round_number, "it answers another round")

    def _judge_size(self, update: UpdateMessage) -> dict[str, float]:
        """Judges the tensors, and returns the norms of the learned ones and of the statistics; counters have none."""
        squares = judged_squares(update.delta, self._specs)
        norm = math.sqrt(sum(squares.values()))
        demand(norm <= self._largest_norm, f"its norm must be at most {self._largest_norm:g}, got {norm:g}")
        for name, start in self._variances.items():
            demand(is_possible(start + update.delta[name], start), f"tensor {name} must leave the variance at least 0")
        found = {LEARNED: 0.0, STATISTICS: 0.0}
        for name, square in squares.items():
            if self._specs[name][1].kind == "f":
                found[STATISTICS if is_statistic(name) else LEARNED] += square
        return {part: math.sqrt(square) for part, square in found.items()}

    def _judge_counts(self, site: str, update: UpdateMessage) -> None:
        demand(is_count(update.pairs) and update.pairs > 0, "pairs must be in 1..1e9")
        first = self._pairs.first.get(site)
        demand(
            not self._pairs.has_changed(site, update.pairs),
            f"pairs must be half to twice {first}, the site's first report in this run, got {update.pairs}",
        )
        demand(len(update.skipped) <= MOST_FIELDS, "too many fields")
        for reason, count in update.skipped.items():
            demand(is_name(reason) and is_count(count), "skipped must map short reasons to counts")


def specs_of(tensors: Mapping[str, NDArray[Any]]) -> Specs:
    """Shape and type of each tensor."""
    return {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()}


def judge_tensors(tensors: Mapping[str, Any], specs: Specs) -> float:
    """Returns the Euclidean norm of all tensors together; raises as :func:`judged_squares`."""
    return math.sqrt(sum(judged_squares(tensors, specs).values()))


def judged_squares(tensors: Mapping[str, Any], specs: Specs) -> dict[str, float]:
    """Returns name → sum of squares of each tensor, in the order of names, so that sums of them have one value.

    Raises:
        ValueError: if a tensor is not finite, or if names, shapes or types differ from ``specs``.
    """
    missing, extra = sorted(specs.keys() - tensors.keys()), sorted(map(str, tensors.keys() - specs.keys()))
    demand(not missing, f"tensor {missing[:1]} is missing ({len(missing)} in all)")
    demand(not extra, f"tensor {[name[:80] for name in extra[:1]]} is not of the model ({len(extra)} in all)")
    squares: dict[str, float] = {}
    for name, (shape, dtype) in sorted(specs.items()):
        tensor = tensors[name]
        demand(type(tensor) is np.ndarray, f"tensor {name} must be a numpy array")
        demand(tensor.dtype == dtype, f"tensor {name} must have type {dtype}, got {tensor.dtype}")
        demand(tensor.shape == shape, f"tensor {name} must have shape {shape}, got {tensor.shape}")
        demand(bool(np.isfinite(tensor).all()), f"tensor {name} must be finite")
        with np.errstate(over="ignore"):
            squares[name] = float(np.square(tensor, dtype=np.float64).sum())
    return squares
