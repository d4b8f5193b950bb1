"""Norm-clipped aggregation: an update that is longer than the others is shortened before the sum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fedaid.minmax.settings import require_number
from fedaid.minmax.update_bounds import lower_median

NOTHING = 1e-30  # a norm of learned tensors that is taken for 0
CLIPPED = "clipped"  # key of a round in the results and of a commit in the ledger: phase → site → factor


@dataclass(frozen=True)
class ClipSettings:
    """How long an accepted update may be in the sum of its phase.

    Attributes:
        clip_update_norm: C, at least 1. With m, the median norm of the accepted updates of the phase, the learned
            tensors of update Δ_i enter the sum as Δ_i · min(1, C · m / ‖Δ_i‖). So with C = 1 no site moves the model
            further than the median site with the same weight. None disables it.

    Raises:
        InputError: naming the setting.

    Source: norm thresholding of Sun et al. 2019, arXiv:1911.07963, section 4, Δ_i / max(1, ‖Δ_i‖ / M). Here M is not a
    constant but C times the median of the phase, and running statistics and counters are not clipped.
    """

    clip_update_norm: float | None = None

    def __post_init__(self) -> None:
        factor, rule = self.clip_update_norm, "be a finite number of at least 1, or null"
        if factor is not None:
            require_number("clip_update_norm", factor, rule, holds=lambda x: x >= 1)

    def factors(self, norms: Mapping[str, float]) -> dict[str, float]:
        """The updates that are clipped, and how much.

        Norms up to 1e-30 do not count: such an update changes no number of 32 bits.
        Of an even number of norms the median is the lower of the two in the middle.

        Args:
            norms: site → norm of the learned tensors of its accepted update.

        Returns:
            site → factor in (0, 1), in the order of site names, for the sites whose update is clipped.
        """
        known = [norm for norm in norms.values() if norm > NOTHING]
        if self.clip_update_norm is None or not known:
            return {}
        longest = self.clip_update_norm * lower_median(known)
        return {site: longest / norm for site, norm in sorted(norms.items()) if norm > longest}


def clipped(weights: Mapping[str, float], factors: Mapping[str, float]) -> dict[str, float]:
    """Site → weight of its learned tensors in the sum: its site weight times its factor, if its update is clipped."""
    return {site: weight * factors.get(site, 1.0) for site, weight in weights.items()}
