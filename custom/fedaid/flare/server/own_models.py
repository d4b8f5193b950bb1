"""Takes the models that the sites trained alone, on the server's disk until they have been evaluated."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from nvflare.apis.shareable import Shareable
from safetensors import SafetensorError

from fedaid.flare.server.gate import Gate, is_name
from fedaid.flare.server.spool import Spool
from fedaid.flare.wire.messages import is_report, report_from_shareable, update_from_shareable
from fedaid.flare.wire.tasks import LOCAL_MODEL, Arrays, MalformedMessage
from fedaid.minmax.weighted_average import apply, weighted_sum


class OwnModels:
    """At most one model of each site, as its difference from the given one; it passes the gate that an update passes.

    Args:
        given: the given model's tensors.
        spool: where they lie; one of them is in memory at a time.
        round_number: of the task.
        sites: those that were asked.

    Attributes:
        without: site → why it sends none, in its own words.
    """

    def __init__(self, given: Arrays, spool: Spool, *, round_number: int, sites: list[str]) -> None:
        self._given, self._spool = given, spool
        self._gate = Gate(phase=LOCAL_MODEL, round_number=round_number, template=given, sites=sites)
        self.without: dict[str, str] = {}

    def take(self, site: str, result: Shareable) -> None:
        """Takes the answer of the authenticated ``site``: a model, or the reason why there is none.

        Raises:
            RefusedUpdate: nothing of it is kept.
        """
        try:
            if is_report(result):
                reason = next(iter(report_from_shareable(result).skipped), "")
                self.without[site] = reason if reason and is_name(reason) else "another reason"
                return
            update = update_from_shareable(result)
        except MalformedMessage as error:
            raise self._gate.refuse(site, error) from error
        self._gate.accept(site, update)
        del self._gate.accepted[site]  # until it is out of memory
        try:
            self._spool.put(site, update.delta)
        except (OSError, SafetensorError) as error:
            text = f"the server could not write it to its disk ({type(error).__name__})"
            raise self._gate.refuse(site, ValueError(text)) from error
        self._gate.accepted[site] = replace(update, delta={})

    def close(self) -> dict[str, dict[str, float]]:
        """No answer enters any more; site → what it says of its model, in the order of names."""
        return {site: dict(update.metrics) for site, update in self._gate.close().items()}

    @property
    def refused(self) -> dict[str, str]:
        """site → why its model was not taken."""
        return self._gate.refused

    def tensors(self, site: str) -> dict[str, NDArray[Any]]:
        """A site's own model: the given one, moved by the difference that it sent; zeros are not in a spool."""
        moved: dict[str, NDArray[Any]] = {}
        for name, tensor in self._given.items():
            step = self._spool.tensor(name)[site]
            moved[name] = np.asarray(apply({name: tensor}, weighted_sum({site: step}, {site: 1.0}))[name])
        return moved
