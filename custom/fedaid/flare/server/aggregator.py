"""The aggregator component: collects accepted updates and returns their sum with the site weights.

Its memory does not grow with the number of sites. Accepted updates go to disk and are summed tensor by tensor.
"""

from __future__ import annotations

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
from fedaid.flare.wire.tasks import UpdateMessage
from fedaid.minmax.server_optimizer import ServerOptimizer, ServerOptimizerSettings
from fedaid.minmax.weighted_average import renormalise, weighted_sum

AUTHENTICATED_SITE = "fedaid_authenticated_site"  # private context property, set by the controller


class SiteWeightedAggregator(Aggregator):  # type: ignore[misc]
    """Sums the accepted updates of a phase, weighted by α, in float64 and in the order of site names.

    The controller opens it for each phase. Updates are summed after the phase has ended, so a refused update leaves no
    trace and the order of arrival has no effect.
    """

    def __init__(self) -> None:
        super().__init__()
        self._gate: Gate | None = None
        self._base: Mapping[str, NDArray[Any]] = {}
        self._optimizer = ServerOptimizer(ServerOptimizerSettings())
        self._store: UpdateStore | None = None
        self.site_weights: dict[str, float] = {}

    def open(self, gate: Gate, base: Mapping[str, NDArray[Any]], *, optimizer: ServerOptimizer | None = None) -> None:
        """Starts a phase: updates pass ``gate``, and their sum moves ``base``; without an optimizer it is added."""
        self._gate, self._base = gate, base
        self._optimizer = optimizer or ServerOptimizer(ServerOptimizerSettings())
        if self._store:
            self._store.clear()

    @property
    def sites(self) -> list[str]:
        """The sites that are asked in the open phase."""
        return sorted(self._gate.sites) if self._gate else []

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

    def close(self) -> dict[str, UpdateMessage]:
        """Ends the phase and returns the accepted updates in the order of site names."""
        return self._gate.close() if self._gate else {}

    def total(self) -> Mapping[str, NDArray[Any]]:
        """Ends the phase and returns base + Σ α_i Δ_i, with α renormalised over the accepted sites.

        Call it once a phase: an optimizer with momentum counts every call as a round.

        Raises:
            RuntimeError: if nothing was accepted.
        """
        updates = self.close()
        if not updates:
            raise RuntimeError("a phase must have at least one accepted update, got 0: aggregator")
        weights = renormalise(self.site_weights, list(updates))
        total: dict[str, NDArray[Any]] = {}
        for name, tensor in self._base.items():
            change = weighted_sum(self._store.tensor(name), weights) if self._store else {}
            total |= self._optimizer.moved({name: tensor}, change)
        return total

    def aggregate(self, fl_ctx: FLContext) -> Shareable:
        """The new model, whole, as FLARE's base controller expects it."""
        return total_to_shareable(self.total())

    def reset(self, fl_ctx: FLContext) -> None:
        """Removes the phase's updates from memory and from disk."""
        self._gate, self._base = None, {}
        if self._store:
            self._store.clear()
