"""Faults of the line between one hospital and the server, in a provisioned federation with TLS.

In the first job with faults the others wait long enough, so the run must end with the bits of a run without a fault. In
the second they do not: the hospital misses the phase, is named, and takes part again; and it does not hear that the job
ends.
"""

from __future__ import annotations

from math import ceil
from pathlib import Path

from tests.chaos.lines.faulted_run import FaultedRun, Planned, run_with_faults
from tests.chaos.lines.line import DOWN, UP
from tests.chaos.lines.line_fault import ALIGN, PRETRAIN, RATE, cut, held, limited, storm
from tests.chaos.lines.lined_federation import FAR, lined_federation
from tests.chaos.outcome import Outcome

WAYS = [(direction, phase) for direction in (UP, DOWN) for phase in (ALIGN, PRETRAIN)]
SURVIVED = [
    *(cut(direction, phase, 1) for direction, phase in WAYS),
    storm(20),
    limited("latency of 300 ms", latency=0.3),
    limited("200 kB/s", rate=200_000),
    held(ALIGN, 20),
    *(cut(direction, phase, 60) for direction, phase in WAYS),
]
MISSED = [held(ALIGN, 30), cut(UP, PRETRAIN, 30), cut(DOWN, ALIGN, 30)]
PATIENT = {"wait_time_after_min_received": 240, "task_timeout": 600}
WAIT = 10  # seconds that the others wait in the last job
HASTY = {"wait_time_after_min_received": WAIT, "task_timeout": 600}
ROUNDS = len(SURVIVED) + 5  # most faults need one phase; one that lasts a round is followed by a second round
OTHER_BITS = "the run whose faults the others waited out did not end with the bits of a run without a fault"
LEAST_MISSED, MISSED_SECONDS = 40, 200.0  # rounds of the last job, which go on while the line is cut, and their time


def network_faults(folder: Path) -> Outcome:
    """A job without a fault, one whose faults the others wait out, and one in which the hospital misses phases."""
    with lined_federation(folder) as federation:
        whole = run_with_faults(federation, folder, Planned("whole", ROUNDS, PATIENT))
        patient = run_with_faults(federation, folder, Planned("cut", ROUNDS, PATIENT, SURVIVED, usual=RATE))
        rounds = max(LEAST_MISSED, ceil(MISSED_SECONDS / max(whole.seconds, 1.0)))
        hasty = run_with_faults(federation, folder, Planned("missed", rounds, HASTY, MISSED, cut_end=True))
    print(f"seconds that the others waited: {sorted(gap.seconds for gap in hasty.gaps)}", flush=True)
    return outcome_of(whole, patient, hasty)


def outcome_of(whole: FaultedRun, patient: FaultedRun, hasty: FaultedRun) -> Outcome:
    """Counts a fault as survived if its phase was done, the hospital took part again, and its run ended as it must."""
    wrong = patient.failures if whole.model == patient.model != "" else [*patient.failures, OTHER_BITS]
    late = late_phases(patient)
    problems = [(fault, fault.problem or late.get((fault.phase, fault.round), "")) for fault in patient.faults]
    problems += [(fault, fault.problem) for fault in hasty.faults]
    ends = [not wrong] * len(patient.faults) + [not hasty.failures] * len(hasty.faults)
    waits = sum(gap.seconds for gap in hasty.gaps)
    return Outcome(
        place="provisioned, TLS",
        injected=sum(fault.round > 0 for fault, _ in problems),
        survived=sum(ended and not problem for ended, (_, problem) in zip(ends, problems, strict=True)),
        distinct_hashes=len({whole.model, patient.model}),
        extra_wait_seconds=round(max(0.0, waits - len(hasty.faults) * WAIT), 1),
        failures=(
            *(f"{fault.name}, round {fault.round}: {problem}" for fault, problem in problems if problem),
            *(f"without a fault: {text}" for text in [*whole.failures, *late_phases(whole).values()]),
            *wrong,
            *hasty.failures,
        ),
    )


def late_phases(run: FaultedRun) -> dict[tuple[str, int], str]:
    """The phases that the hospital missed, and the sentence that says so."""
    return {(gap.phase, gap.round): f"{FAR} missed {gap.phase} of round {gap.round}" for gap in run.gaps}
