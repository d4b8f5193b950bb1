"""The site weights of a run, from round to round."""

from __future__ import annotations

from collections.abc import Mapping

from fedaid.minmax.dual_step import dual_step
from fedaid.minmax.settings import MinMaxSettings


class SiteWeights:
    """α of a run: part of its committed state, so that no round starts again from uniform.

    Args:
        settings: of the min-max.
        sites: names of all S sites of the run.

    Attributes:
        current: site → α, on the simplex, in the order of site names.

    Raises:
        InputError: if ceiling or floor cannot hold with this many sites.
    """

    def __init__(self, settings: MinMaxSettings, sites: list[str]) -> None:
        self._settings = settings
        self._rho = settings.for_sites(len(sites))
        self._pairs: dict[str, int] = {}
        self.current: dict[str, float] = {site: 1 / len(sites) for site in sorted(sites)}

    def step(self, losses: Mapping[str, float], pairs: Mapping[str, int]) -> None:
        """Moves the weights by what the sites that answered report.

        Args:
            losses: site → f in nats, finite.
            pairs: site → training pairs, above 0; used by weights in proportion to them only. A site that has not been
                heard of yet has weight 0, and gets its share in the first round that it answers.
        """
        if self._settings.initial_site_weights == "pairs":
            self._pairs |= pairs
            total = sum(self._pairs.values())
            self.current = {site: self._pairs.get(site, 0) / total for site in self.current}
        step, floor = self._settings.dual_step_size, self._settings.min_site_weight
        self.current = dual_step(self.current, losses, step_size=step, rho=self._rho, floor=floor)
