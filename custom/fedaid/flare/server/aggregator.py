"""The aggregator component: collects accepted updates and returns their sum with the site weights.

Its memory does not grow with the number of sites. Accepted updates go to disk and are summed tensor by tensor.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from nvflare.apis.fl_constant import FLContextKey
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable
from nvflare.app_common.abstract.aggregator import Aggregator

from fedaid.flare.server.gate import Gate, RefusedAnswer
from fedaid.flare.server.update_store import UPDATE_FOLDER, UpdateStore
from fedaid.flare.wire.messages import total_to_shareable
from fedaid.flare.wire.tasks import Arrays, UpdateMessage
from fedaid.minmax.norm_clipping import ClipSettings, clipped
from fedaid.minmax.server_optimizer import ServerOptimizer, ServerOptimizerSettings
from fedaid.minmax.update_bounds import model_fault, without_rounding
from fedaid.minmax.weighted_average import renormalise, weighted_sum
from fedaid.models.tensor_names import is_learned, is_statistic

AUTHENTICATED_SITE = "fedaid_authenticated_site"  # private context property, set by the controller


class SiteWeightedAggregator(Aggregator):  # type: ignore[misc]
    """Sums the accepted updates of a phase, weighted by α, in float64 and in the order of site names.

    The controller opens it for each phase. Updates are summed after the phase has ended, so a refused update leaves no
    trace and the order of arrival has no effect.

    Attributes:
        site_weights: site → α.
        kept: why the last phase did not move the model, and the site whose update, with its weight and clipped, is the
            largest; empty if it did.
        clipped: site → factor of its update in the sum of the last phase, for updates that were clipped.
    """

    def __init__(self) -> None:
        super().__init__()
        self._gate: Gate | None = None
        self._base: Arrays = {}
        self._before: Arrays = {}
        self._ratio = math.inf
        self._total: Arrays | None = None
        self.kept: dict[str, str] = {}
        self._clip = ClipSettings()
        self.clipped: dict[str, float] = {}
        self._optimizer = ServerOptimizer(ServerOptimizerSettings())
        self._store: UpdateStore | None = None
        self.site_weights: dict[str, float] = {}

    def open(
        self,
        gate: Gate,
        base: Arrays,
        *,
        optimizer: ServerOptimizer | None = None,
        before: Arrays | None = None,
        largest_step: float = math.inf,
        clip: ClipSettings | None = None,
    ) -> None:
        """Starts a phase: updates pass ``gate``, and their sum moves ``base``.

        Args:
            gate: of the phase.
            base: the model, or its part that moves.
            optimizer: moves it; without one the sum is added.
            before: the model that stays if the new one is not sound; ``base`` if None.
            largest_step: of a sound model, in norms of ``base``.
            clip: how long an update may be in the sum; None clips nothing.
        """
        self._gate, self._base, self._before = gate, base, base if before is None else before
        self._ratio, self._total, self.kept = largest_step, None, {}
        self._clip, self.clipped = clip or ClipSettings(), {}
        self._optimizer = optimizer or ServerOptimizer(ServerOptimizerSettings())
        if self._store:
            self._store.clear()

    @property
    def sites(self) -> list[str]:
        """The sites that are asked in the open phase."""
        return sorted(self._gate.sites) if self._gate else []

    @property
    def accepted(self) -> set[str]:
        """The sites whose update is accepted so far."""
        return set(self._gate.accepted) if self._gate else set()

    @property
    def refused(self) -> dict[str, str]:
        """Site → why its last update was not accepted."""
        return dict(self._gate.refused) if self._gate else {}

    def accept(self, shareable: Shareable, fl_ctx: FLContext) -> bool:
        """Whether the update of the authenticated site was accepted; a refusal is logged with its reason."""
        site = str(fl_ctx.get_prop(AUTHENTICATED_SITE, ""))
        if self._gate is None:
            self.log_warning(fl_ctx, f"update of site {site} refused: no phase is open")
            return False
        if self._store is None:
            self._store = UpdateStore(Path(str(fl_ctx.get_prop(FLContextKey.APP_ROOT))) / UPDATE_FOLDER)
        try:
            self._gate.take(site, shareable, store=self._store)
        except RefusedAnswer as refusal:
            self.log_warning(fl_ctx, str(refusal))
            return False
        return True

    def refuse(self, site: str, reason: str, fl_ctx: FLContext) -> None:
        """Notes that a filter could not decode a site's update, as if the gate had refused it."""
        if self._gate and site in self._gate.sites:
            self.log_warning(fl_ctx, str(self._gate.refuse(site, ValueError(reason))))

    def close(self, fl_ctx: FLContext | None = None) -> dict[str, UpdateMessage]:
        """Ends the phase and returns the accepted updates in the order of site names; logs what it refuses now."""
        if self._gate is None:
            return {}
        before = self._gate.refused.copy()
        updates = self._gate.close()
        for site, reason in self._gate.refused.items():
            if fl_ctx and before.get(site) != reason:
                self.log_warning(fl_ctx, reason)
        if self._store:
            self._store.keep(updates)
        return updates

    @property
    def norms(self) -> dict[str, float]:
        """Site → norm of the learned tensors of its accepted update."""
        return self._gate.norms if self._gate else {}

    def total(self, fl_ctx: FLContext | None = None) -> Arrays:
        """Ends the phase and returns base + Σ α_i Δ_i, with α renormalised over the accepted sites.

        If that is not a sound model, the one before is returned, the optimizer is as before, and :attr:`kept` has the
        reason. A second call returns the same.

        Raises:
            RuntimeError: if nothing was accepted.
        """
        if self._total is not None:
            return self._total
        updates = self.close(fl_ctx)
        if not updates:
            raise RuntimeError("a phase must have at least one accepted update, got 0: aggregator")
        state = dict(self._optimizer.state)
        self.clipped = self._clip.factors(self.norms)
        if self.clipped and fl_ctx:
            self.log_info(fl_ctx, f"updates were clipped, site and factor: {self.clipped}")
        weights = renormalise(self.site_weights, list(updates))
        self._total = self._moved(weights)
        fault = model_fault(self._total, self._base, ratio=self._ratio, is_learned=lambda name: not is_statistic(name))
        if fault:
            self._total, self._optimizer.state = self._before, state
            moves = clipped({site: weights[site] * norm for site, norm in self.norms.items()}, self.clipped)
            mover = max(moves, key=lambda site: moves[site])
            self.kept = {"reason": fault, "largest_mover": mover}
            text = (
                f"the new model is not sound, so the one before stays: {fault}. Largest weighted update: site {mover}"
            )
            if fl_ctx:
                self.log_error(fl_ctx, text)
        return self._total

    def _moved(self, weights: Mapping[str, float]) -> dict[str, NDArray[Any]]:
        """The base moved by the weighted sum, tensor by tensor; of a clipped update the learned tensors are shorter."""
        total: dict[str, NDArray[Any]] = {}
        shorter = clipped(weights, self.clipped)
        for name, tensor in self._base.items():
            some = shorter if is_learned(name, tensor) else weights
            change = weighted_sum(self._store.tensor(name), some) if self._store else {}
            moved = self._optimizer.moved({name: tensor}, change)[name]
            total[name] = without_rounding(name, moved, tensor)
        return total

    def aggregate(self, fl_ctx: FLContext) -> Shareable:
        """The new model, whole, as FLARE's base controller expects it."""
        return total_to_shareable(self.total(fl_ctx))

    def reset(self, fl_ctx: FLContext) -> None:
        """Removes the phase's updates from memory and from disk."""
        self._gate, self._base, self._before, self._total = None, {}, {}, None
        if self._store:
            self._store.clear()
