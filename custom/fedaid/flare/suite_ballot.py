"""Collects what the sites found of one model: the results of the evaluation suite, judged before they are kept."""

from __future__ import annotations

from typing import Any

from nvflare.apis.shareable import Shareable

from fedaid.flare.ballot import Ballot
from fedaid.flare.gate import demand, is_name
from fedaid.flare.messages import result_from_shareable

DEEPEST = 10  # dictionaries and lists in each other
MOST_VALUES = 20_000
LARGEST = 1e9


class SuiteBallot(Ballot):
    """Takes one result of each site about one model: plain JSON of bounded size, finite numbers, short texts.

    Args:
        round_number: of the task.
        sites: those that were asked.

    Attributes:
        answers: site → ``{"suite": …, "skipped": …}``.
    """

    def _sound(self, shareable: Shareable) -> Any:
        number, result = result_from_shareable(shareable)
        demand(number == self._round_number, "it answers another task")
        demand(isinstance(result, dict) and result.keys() == {"suite", "skipped"}, "it must hold suite and skipped")
        demand(all(isinstance(part, dict) for part in result.values()), "its parts must be objects")
        demand(judge_result(result) <= MOST_VALUES, f"it must have at most {MOST_VALUES} values")
        return result


def judge_result(value: Any, *, depth: int = 0) -> int:
    """Number of values in a JSON value.

    Raises:
        ValueError: for a number that is not finite or very large, a long text or name, or a deep nesting.
    """
    demand(depth <= DEEPEST, "it is nested too deeply")
    if isinstance(value, dict):
        demand(all(is_name(name) for name in value), "names must be short texts")
        return sum(judge_result(one, depth=depth + 1) for one in value.values()) + 1
    if isinstance(value, list):
        return sum(judge_result(one, depth=depth + 1) for one in value) + 1
    if isinstance(value, str):
        demand(is_name(value), "texts must be short")
    elif isinstance(value, (int, float)):
        demand(-LARGEST <= value <= LARGEST, "numbers must be finite and at most 1e9")
    return 1
