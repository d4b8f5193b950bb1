"""Faults of the line between one hospital and the server, in a provisioned federation with TLS.

In the first job the others wait long enough, so the run must end with the bits of a run without a fault. In the second
they do not: the hospital misses the phase, is named, and takes part again.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tests.chaos.followed_job import FollowedJob, followed
from tests.chaos.lines.gaps import gaps_of, wrongly_named
from tests.chaos.lines.line import DOWN, UP, Line, until
from tests.chaos.lines.lined_federation import FAR, LinedFederation, lined_federation
from tests.chaos.outcome import Outcome
from tests.integration.conftest import small_job

MODEL = {"projection_hidden": 2048, "embedding_dim": 512}  # 9.4 MB, of which the alignment modules are 4.7 MB
MIDDLE = 1_500_000  # bytes of a message that have passed when the line is cut
RATE = 2_000_000  # bytes a second, so that a message takes long enough to be cut in its middle
SECONDS = 2400.0
ALIGN, PRETRAIN = "align", "pretrain"

InjectIn = Callable[[FollowedJob, Line, int], None]


class Fault(NamedTuple):
    """A fault in one round.

    Attributes:
        name: in the outcome.
        inject: returns when the fault is over; the round starts from 1.
    """

    name: str
    inject: InjectIn


def at(phase: str, job: FollowedJob, number: int) -> None:
    """Waits until a phase of a round opens."""
    job.wait_for("open", phase=phase, round=number)


def cut(direction: str, phase: str, seconds: float) -> Fault:
    """The line is cut in the middle of a message."""

    def inject(job: FollowedJob, line: Line, number: int) -> None:
        line.bytes_per_second = RATE
        at(phase, job, number)
        line.wait_for(direction, MIDDLE, seconds=120)
        line.cut()
        time.sleep(seconds)
        line.mend()

    message = "update" if direction == UP else "model"
    return Fault(f"cut of {seconds:g} s in the {message}, {phase}", inject)


def storm(job: FollowedJob, line: Line, number: int) -> None:
    """Connections are reset every half second."""
    at(ALIGN, job, number)
    for _ in range(20):
        line.reset()
        time.sleep(0.5)


def limited(*, rate: float | None = None, latency: float = 0.0) -> InjectIn:
    """The line is slow for a round."""

    def inject(job: FollowedJob, line: Line, number: int) -> None:
        at(ALIGN, job, number)
        line.bytes_per_second, line.latency = rate, latency
        job.wait_for("commit", round=number)
        line.mend()

    return inject


def held(phase: str, seconds: float) -> Fault:
    """Connections stay open, and nothing passes."""

    def inject(job: FollowedJob, line: Line, number: int) -> None:
        at(phase, job, number)
        line.holds = True
        time.sleep(seconds)
        line.mend()

    return Fault(f"half open for {seconds:g} s, {phase}", inject)


SURVIVED = [
    *(cut(direction, phase, 1) for direction in (UP, DOWN) for phase in (ALIGN, PRETRAIN)),
    Fault("20 resets in 10 s", storm),
    Fault("latency of 300 ms", limited(latency=0.3)),
    Fault("200 kB/s", limited(rate=200_000)),
    held(ALIGN, 20),
    *(cut(direction, phase, 60) for direction in (UP, DOWN) for phase in (ALIGN, PRETRAIN)),
]
MISSED = [held(ALIGN, 30), cut(UP, PRETRAIN, 30), cut(DOWN, ALIGN, 30)]
PATIENT = {"wait_time_after_min_received": 240, "task_timeout": 600}
WAIT = 10  # seconds that the others wait in the last job
HASTY = {"wait_time_after_min_received": WAIT, "task_timeout": 600}
RUNS: dict[str, tuple[list[Fault], dict[str, int], int]] = {
    "whole": ([], PATIENT, len(SURVIVED) + 1),
    "cut": (SURVIVED, PATIENT, len(SURVIVED) + 1),
    "missed": (MISSED, HASTY, 40),
}
"""Run name → faults, settings, and rounds: a hospital that misses phases does so for as long as its line is cut."""


def network_faults(folder: Path) -> Outcome:
    """A job without a fault, one whose faults the others wait out, and one in which the hospital misses phases."""
    failures: list[str] = []
    with lined_federation(folder) as federation:
        ends = {name: run_of(federation, folder, name=name) for name in RUNS}
        stores = {name: federation.record.server_kit / "fedaid_runs" / name for name in RUNS}
    for name, end in ends.items():
        failures += end.failures
        missed = [gap for gap in gaps_of(stores[name]) if name != "missed"]
        failures += [f"{name}: {FAR} missed {gap.phase} of round {gap.round}" for gap in missed]
        failures += [f"{name}: {odd}" for odd in wrongly_named(end.results, gaps_of(stores[name]))]
    if ends["whole"].model != ends["cut"].model:
        failures.append("the run with faults ended with other bits")
    injected = sum(len(faults) for faults, _, _ in RUNS.values())
    waits = sorted(gap.seconds for gap in gaps_of(stores["missed"]))
    print(f"seconds that the others waited in each missed phase: {waits}", flush=True)
    return Outcome(
        place="provisioned, TLS",
        injected=injected,
        survived=max(0, injected - len(failures)),
        distinct_hashes=len({ends["whole"].model, ends["cut"].model}),
        extra_wait_seconds=round(max(0.0, sum(waits) - len(MISSED) * WAIT), 1),
        failures=tuple(failures),
    )


class End(NamedTuple):
    """How a run ended.

    Attributes:
        model: sha256 of the last model; empty if the job failed.
        results: of the run.
        failures: what went wrong.
    """

    model: str
    results: dict[str, Any]
    failures: list[str]


def run_of(federation: LinedFederation, folder: Path, *, name: str) -> End:
    """Runs a job; each fault comes in a round of its own, after the hospital has taken part again."""
    faults, settings, rounds = RUNS[name]
    failures: list[str] = []
    job = small_job(folder / "jobs" / name, sites=2, run_name=name, num_rounds=rounds, **MODEL, **settings)
    with followed(federation, job, run_name=name, out=folder / "out") as running:
        for fault in faults:
            try:
                inject(fault, running, federation.line)
            except (RuntimeError, TimeoutError) as error:
                failures.append(f"{fault.name}: {error}")
            finally:
                federation.line.mend()
        try:
            folder = running.end(seconds=SECONDS)
        except RuntimeError as error:
            return End("", {}, [*failures, f"{name}: {error}"])
    model = hashlib.sha256((max(folder.glob("round-*")) / "model.safetensors").read_bytes()).hexdigest()
    return End(model, json.loads((folder / "results.json").read_text()), failures)


def inject(fault: Fault, job: FollowedJob, line: Line) -> None:
    """Injects a fault in the next round, and waits until the hospital has taken part in a phase after it."""
    number = max([entry["round"] for entry in job.ledger("open")], default=0) + 1
    start = time.monotonic()
    fault.inject(job, line, number)
    seconds, lines = time.monotonic() - start, len(job.ledger())

    def back() -> bool:
        return any(entry["kind"] == "accept" and entry["site"] == FAR for entry in job.ledger()[lines:])

    until(lambda: back() or job.process.poll() is not None, seconds=600, what=f"an answer of {FAR}")
    if not back():
        raise RuntimeError(f"{FAR} took part in no phase after the fault")
    print(
        f"round {number}: {fault.name}: {seconds:.0f} s, back after {time.monotonic() - start - seconds:.0f} s",
        flush=True,
    )
