"""The aggregator component: collects gated updates and takes their sum with the site weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray
from nvflare.apis.dxo import DXO, DataKind
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable
from nvflare.app_common.abstract.aggregator import Aggregator

from fedaid.flare.gate import Gate, RefusedUpdate
from fedaid.flare.messages import MalformedMessage, UpdateMessage, update_from_shareable
from fedaid.minmax.weighted_average import apply, renormalise, weighted_sum

AUTHENTICATED_SITE = "fedaid_authenticated_site"  # private context property, set by the controller


class SiteWeightedAggregator(Aggregator):  # type: ignore[misc]
    """Sums the accepted updates of a phase, weighted by α, in float64 and in the order of site names.

    The controller opens it for each phase. Nothing is added up before the phase is over, so an update that is refused
    leaves no trace and the order of arrival has no effect.
    """

    def __init__(self) -> None:
        super().__init__()
        self._gate: Gate | None = None
        self._base: Mapping[str, NDArray[Any]] = {}
        self._scale = 1.0
        self.site_weights: dict[str, float] = {}

    def open(self, gate: Gate, base: Mapping[str, NDArray[Any]], *, scale: float = 1.0) -> None:
        """Starts a phase: updates pass ``gate`` and their sum, times ``scale``, is added to ``base``."""
        self._gate, self._base, self._scale = gate, base, scale

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
        return True

    def close(self) -> dict[str, UpdateMessage]:
        """Ends the phase: nothing enters any more; the accepted updates in the order of site names."""
        return self._gate.close() if self._gate else {}

    def total(self) -> Mapping[str, NDArray[Any]]:
        """Base + scale · Σ α_i Δ_i of the phase, which it ends, with α renormalised over the sites that were accepted.

        Raises:
            RuntimeError: if nothing was accepted.
        """
        updates = self.close()
        if not updates:
            raise RuntimeError("a phase must have at least one accepted update, got none: aggregator")
        weights = renormalise(self.site_weights, list(updates))
        change = weighted_sum({site: update.delta for site, update in updates.items()}, weights)
        return apply(self._base, change, scale=self._scale)

    def aggregate(self, fl_ctx: FLContext) -> Shareable:
        """The new model, whole, as FLARE's base controller expects it."""
        return DXO(DataKind.WEIGHTS, data=dict(self.total())).to_shareable()

    def reset(self, fl_ctx: FLContext) -> None:
        """Forgets the phase's updates."""
        self._gate, self._base = None, {}
