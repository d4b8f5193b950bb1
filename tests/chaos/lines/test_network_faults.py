"""How the series of a hospital's line counts."""

from __future__ import annotations

import pytest

from tests.chaos.lines.faulted_run import FaultedRun, Injection
from tests.chaos.lines.gaps import Gap
from tests.chaos.lines.network_faults import MISSED, OTHER_BITS, ROUNDS, SURVIVED, outcome_of
from tests.chaos.outcome import Outcome
from tests.series.bench import unexpected

CUT, HELD, END = (Injection(name, "align", number) for number, name in enumerate(("cut", "held", "end"), 1))


def run(*faults: Injection, model: str = "a", gaps: tuple[Gap, ...] = (), failures: tuple[str, ...] = ()) -> FaultedRun:
    return FaultedRun(model, list(faults), list(gaps), 3.0, list(failures))


def counted(patient: FaultedRun, hasty: FaultedRun) -> Outcome:
    return outcome_of(run(), patient, hasty)


def test_every_fault_of_two_runs_that_end_as_they_must_is_survived() -> None:
    outcome = counted(run(CUT, HELD), run(END, gaps=(Gap("align", 3, 10.5),)))
    assert (outcome.injected, outcome.survived, outcome.failures, outcome.distinct_hashes) == (3, 3, (), 1)
    assert unexpected(outcome) == []


def test_a_fault_that_was_not_injected_is_an_error_and_does_not_count_against_the_others() -> None:
    lost = Injection("cut", "align", 0, "not injected: the job ended before another align")
    outcome = counted(run(lost, HELD), run(END))
    assert (outcome.injected, outcome.survived) == (2, 2)
    assert outcome.failures == ("cut, round 0: not injected: the job ended before another align",)
    assert unexpected(outcome) == [outcome.failures[0]]


@pytest.mark.parametrize(
    ("patient", "hasty", "survived", "said"),
    [
        (
            run(CUT, HELD._replace(problem="an answer did not come")),
            run(END),
            2,
            "held, round 2: an answer did not come",
        ),
        (run(CUT, HELD, gaps=(Gap("align", 1, 9.0),)), run(END), 2, "cut, round 1: hospital-south missed align"),
        (run(CUT, HELD, model="b"), run(END), 1, OTHER_BITS),
        (run(CUT, HELD, model="", failures=("cut: the job failed",)), run(END), 1, "cut: the job failed"),
        (run(CUT, HELD), run(END, failures=("missed: the job failed",)), 2, "missed: the job failed"),
    ],
)
def test_what_is_not_survived_is_counted_and_said(
    patient: FaultedRun, hasty: FaultedRun, survived: int, said: str
) -> None:
    outcome = counted(patient, hasty)
    assert (outcome.injected, outcome.survived) == (3, survived)
    assert any(text.startswith(said) for text in outcome.failures)


def test_a_job_without_a_model_is_not_the_same_as_another_one() -> None:
    outcome = outcome_of(run(model=""), run(CUT, model=""), run(END))
    assert outcome.survived == 1
    assert OTHER_BITS in outcome.failures


def test_the_list_has_cuts_of_both_lengths_in_both_directions_and_phases() -> None:
    names = [fault.name for fault in SURVIVED]
    assert len(set(names)) == len(names) == 12
    assert sum(name.startswith("cut of") for name in names) == 8
    assert len(MISSED) == 3
    assert len(SURVIVED) + 4 <= ROUNDS


def test_a_series_whose_faults_were_not_all_survived_is_an_error() -> None:
    assert unexpected(Outcome(place="POC", injected=3, survived=2)) == ["1 faults were not survived"]
    assert unexpected(Outcome(place="in-process")) == []
