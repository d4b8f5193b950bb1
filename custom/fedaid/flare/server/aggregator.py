"""The aggregator component: collects gated updates and takes their sum with the site weights.

Its memory does not grow with the number of sites: what was accepted goes to disk and is summed tensor by tensor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from nvflare.apis.fl_constant import FLContextKey
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable
from nvflare.app_common.abstract.aggregator import Aggregator
from safetensors import SafetensorError

from fedaid.flare.server.gate import Gate, RefusedUpdate
from fedaid.flare.server.spool import Spool
from fedaid.flare.wire.messages import total_to_shareable, update_from_shareable
from fedaid.flare.wire.tasks import MalformedMessage, UpdateMessage
from fedaid.minmax.server_optimizer import ServerOptimizer, ServerOptimizerSettings
from fedaid.minmax.weighted_average import renormalise, weighted_sum

AUTHENTICATED_SITE = "fedaid_authenticated_site"  # private context property, set by the controller
SPOOL_FOLDER = "fedaid_spool"  # in the job's run folder


class SiteWeightedAggregator(Aggregator):  # type: ignore[misc]
    """Sums the accepted updates of a phase, weighted by α, in float64 and in the order of site names.

    The controller opens it for each phase. Nothing is added up before the phase is over, so an update that is refused
    leaves no trace and the order of arrival has no effect.
    """

    def __init__(self) -> None:
        super().__init__()
        self._gate: Gate | None = None
        self._base: Mapping[str, NDArray[Any]] = {}
        self._optimizer = ServerOptimizer(ServerOptimizerSettings())
        self._spool: Spool | None = None
        self.site_weights: dict[str, float] = {}

    def open(self, gate: Gate, base: Mapping[str, NDArray[Any]], *, optimizer: ServerOptimizer | None = None) -> None:
        """Starts a phase: updates pass ``gate``, their sum moves ``base`` by ``optimizer``; None adds it as it is."""
        self._gate, self._base = gate, base
        self._optimizer = optimizer or ServerOptimizer(ServerOptimizerSettings())
        if self._spool:
            self._spool.clear()

    @property
    def sites(self) -> list[str]:
        """The sites that the open phase asks."""
        return sorted(self._gate.sites) if self._gate else []

    @property
    def refused(self) -> dict[str, str]:
        """site → why its last update was not taken."""
        return dict(self._gate.refused) if self._gate else {}

    def accept(self, shareable: Shareable, fl_ctx: FLContext) -> bool:
        """Whether the update of the authenticated site was taken; a refusal is logged with its reason."""
        site = str(fl_ctx.get_prop(AUTHENTICATED_SITE, ""))
        if self._gate is None:
            self.log_warning(fl_ctx, f"update of site {site} refused: no phase is open")
            return False
        try:
            self._gate.accept(site, update_from_shareable(shareable))
        except RefusedUpdate as refusal:
            self.log_warning(fl_ctx, str(refusal))
            return False
        except MalformedMessage as reason:
            self.log_warning(fl_ctx, str(self._gate.refuse(site, reason)))
            return False
        return self._to_disk(site, self._gate, fl_ctx)

    def refuse(self, site: str, reason: str, fl_ctx: FLContext) -> None:
        """Notes that a site's update could not be taken before it came here, as one that the gate refuses."""
        if self._gate and site in self._gate.sites:
            self.log_warning(fl_ctx, str(self._gate.refuse(site, ValueError(reason))))

    def _to_disk(self, site: str, gate: Gate, fl_ctx: FLContext) -> bool:
        """Whether an accepted update could be moved out of memory; its metrics stay."""
        if self._spool is None:
            self._spool = Spool(Path(str(fl_ctx.get_prop(FLContextKey.APP_ROOT))) / SPOOL_FOLDER)
        update = gate.accepted.pop(site)
        try:
            self._spool.put(site, update.delta)
        except (OSError, SafetensorError) as error:
            reason = ValueError(f"the server could not write it to its disk ({type(error).__name__})")
            self.log_error(fl_ctx, str(gate.refuse(site, reason)))
            return False
        gate.accepted[site] = replace(update, delta={})
        return True

    def close(self) -> dict[str, UpdateMessage]:
        """Ends the phase: nothing enters any more; the accepted updates in the order of site names."""
        return self._gate.close() if self._gate else {}

    def total(self) -> Mapping[str, NDArray[Any]]:
        """Base, moved by Σ α_i Δ_i of the phase, which it ends, with α renormalised over the sites that were accepted.

        A phase has one total: an optimizer with a memory takes each for a round of its own.

        Raises:
            RuntimeError: if nothing was accepted.
        """
        updates = self.close()
        if not updates:
            raise RuntimeError("a phase must have at least one accepted update, got none: aggregator")
        weights = renormalise(self.site_weights, list(updates))
        total: dict[str, NDArray[Any]] = {}
        for name, tensor in self._base.items():
            change = weighted_sum(self._spool.tensor(name), weights) if self._spool else {}
            total |= self._optimizer.moved({name: tensor}, change)
        return total

    def aggregate(self, fl_ctx: FLContext) -> Shareable:
        """The new model, whole, as FLARE's base controller expects it."""
        return total_to_shareable(self.total())

    def reset(self, fl_ctx: FLContext) -> None:
        """Forgets the phase's updates, in memory and on disk."""
        self._gate, self._base = None, {}
        if self._spool:
            self._spool.clear()
