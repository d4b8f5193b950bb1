"""The sum over series of faults."""

from __future__ import annotations

from tests.chaos.outcome import KEYS, Outcome, total


def test_counts_are_added_and_the_worst_time_counts() -> None:
    kills = Outcome(place="POC", injected=3, survived=2, recovery_seconds=41.0, failures=("before rename",))
    cuts = Outcome(place="provisioned, TLS", injected=2, survived=2, recovery_seconds=12.5)
    summed = total([kills, cuts])
    assert (summed["injected"], summed["survived"], summed["recovery_seconds"]) == (5, 4, 41.0)
    assert tuple(summed) == KEYS


def test_what_no_series_measured_is_none_and_not_zero() -> None:
    assert total([Outcome(place="in-process", silent_loads=0)])["guards"] is None
    assert Outcome(place="in-process", silent_loads=0).numbers() == {"place": "in-process", "silent_loads": 0}
