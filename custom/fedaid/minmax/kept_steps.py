"""The last dual steps of a run, kept so that one of them can be repeated when a value of it turns out to be false."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from fedaid.minmax.outliers import Values, outliers

KEPT = 10  # steps; a site that is silent for as many is not judged
Weights = dict[str, float]  # site → α
Repeat = Callable[[Weights, Values], Weights]  # the weights after a step


class Step(NamedTuple):
    """One dual step: the weights before it, and the values in nats that moved them."""

    weights: Weights
    values: dict[str, float]


class KeptSteps:
    """Judges a site's last value as soon as the site has another one, however many rounds later.

    A site without a value in the next round (it was silent, or it had lost its student model) is not judged by the
    others: its next value shows whether the last one was false.
    """

    def __init__(self) -> None:
        self._steps: list[Step] = []

    @property
    def state(self) -> list[dict[str, Any]]:
        """The steps as plain JSON, the oldest first."""
        return [{"weights": dict(step.weights), "values": dict(step.values)} for step in self._steps]

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continues from a committed state; an older version's has the last step and the values of the one before."""
        last, earlier = state.get("last", {}), state.get("earlier", {})
        older = [
            {"weights": {}, "values": {site: value for site, value in earlier.items() if site in last}},
            {"weights": state.get("before", {}), "values": last},
        ]
        kept = state.get("steps", older if last else [])
        self._steps = [Step(dict(step["weights"]), dict(step["values"])) for step in kept]

    def add(self, weights: Weights, values: Values) -> None:
        """Keeps a step."""
        self._steps = [*self._steps, Step(weights, dict(values))][-KEPT:]

    def take_back(self, after: Values, repeat: Repeat) -> tuple[dict[str, float], Weights]:
        """Replaces outliers that the values ``after`` show, and repeats the steps from the first of them.

        Returns:
            Site → the value that replaced its last one, and the weights after the last step; both empty if no value
            was an outlier.
        """
        found = self._found(after)
        weights = self._steps[min(found)].weights if found else {}
        for number in range(min(found, default=len(self._steps)), len(self._steps)):
            values = self._steps[number].values | found.get(number, {})
            self._steps[number] = Step(weights, values)
            weights = repeat(weights, values)
        return {site: value for some in found.values() for site, value in some.items()}, weights

    def _found(self, after: Values) -> dict[int, dict[str, float]]:
        """Number of a step → site → the value to use instead."""
        due: dict[int, dict[str, list[Values]]] = {}
        for site in after:
            had = [number for number, step in enumerate(self._steps) if site in step.values]
            if had:
                near = [self._steps[number].values for number in had[-2:-1]]
                due.setdefault(had[-1], {})[site] = [*near, after]
        judged = {number: outliers(self._steps[number].values, near) for number, near in due.items()}
        return {number: found for number, found in judged.items() if found}
