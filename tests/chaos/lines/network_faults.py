"""Faults of the line between one hospital and the server, in a provisioned federation with TLS.

In the first job the others wait long enough, so the run must end with the bits of a run without a fault. In the second
they do not: the hospital misses the phase, is named, and takes part again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from tests.chaos.followed_job import FollowedJob, followed, ledger_of
from tests.chaos.lines.line import DOWN, UP, Line
from tests.chaos.lines.lined_federation import FAR, LinedFederation, lined_federation
from tests.chaos.outcome import Outcome
from tests.integration.conftest import small_job

MODEL = {"projection_hidden": 2048, "embedding_dim": 512}  # 9.4 MB, of which the alignment modules are 4.7 MB
MIDDLE = 1_500_000  # bytes of a message that have passed when the line is cut
RATE = 2_000_000  # bytes a second, so that a message takes long enough to be cut in its middle
SECONDS = 2400.0
ALIGN, PRETRAIN = "align", "pretrain"

Inject = Callable[[FollowedJob, Line, int], None]


class Fault(NamedTuple):
    """A fault in one round.

    Attributes:
        name: in the outcome.
        inject: returns when the fault is over; the round starts from 1.
    """

    name: str
    inject: Inject


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


def limited(*, rate: float | None = None, latency: float = 0.0) -> Inject:
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
MISSED = [held(ALIGN, 60), cut(UP, PRETRAIN, 60), cut(DOWN, ALIGN, 60)]
PATIENT = {"wait_time_after_min_received": 240, "task_timeout": 600}
WAIT = 10  # seconds that the others wait in the second job
HASTY = {"wait_time_after_min_received": WAIT, "task_timeout": 600}


def network_faults(folder: Path) -> Outcome:
    """A job without a fault, one whose faults the others wait out, and one in which the hospital misses phases."""
    failures: list[str] = []
    with lined_federation(folder) as federation:
        runs = {
            "whole": ([], PATIENT, len(SURVIVED) + 1),
            "cut": (SURVIVED, PATIENT, len(SURVIVED) + 1),
            "missed": (MISSED, HASTY, 3 * len(MISSED) + 1),
        }
        models = {}
        for name, (faults, waiting, rounds) in runs.items():
            models[name], found = run_of(federation, folder, name=name, faults=faults, rounds=rounds, settings=waiting)
            failures += found
        jobs = {name: federation.record.server_kit / "fedaid_runs" / name for name in runs}
    lost, waited = phases_without(jobs["cut"]), longest_phase(jobs["missed"])
    failures += [f"cut: {FAR} missed {phase} of round {number}" for phase, number in lost]
    if models["whole"] != models["cut"]:
        failures.append("the run with faults ended with other bits")
    injected = len(SURVIVED) + len(MISSED)
    return Outcome(
        place="provisioned, TLS",
        injected=injected,
        survived=max(0, injected - len(failures)),
        distinct_hashes=len({models["whole"], models["cut"]}),
        extra_wait_seconds=round(max(0.0, waited - WAIT), 1),
        failures=tuple(failures),
    )


def run_of(
    federation: LinedFederation,
    folder: Path,
    *,
    name: str,
    faults: list[Fault],
    rounds: int,
    settings: Mapping[str, Any],
) -> tuple[str, list[str]]:
    """The hash of a run's last model, and what went wrong; each fault comes in a round of its own."""
    failures: list[str] = []
    step = max(1, (rounds - 1) // max(1, len(faults)))
    job = small_job(folder / "jobs" / name, sites=2, run_name=name, num_rounds=rounds, **MODEL, **settings)
    with followed(federation, job, run_name=name, out=folder / "out") as running:
        for number, fault in enumerate(faults):
            about = step * number + 1
            start = time.monotonic()
            try:
                fault.inject(running, federation.line, about)
                injected = time.monotonic() - start
                running.wait_for("commit", round=about)
                print(
                    f"{name}, round {about}: {fault.name}: {injected:.0f} + {time.monotonic() - start - injected:.0f} s"
                )
            except (RuntimeError, TimeoutError) as error:
                failures.append(f"{fault.name}: {error}")
            finally:
                federation.line.mend()
        try:
            last = max(running.end(seconds=SECONDS).glob("round-*"))
        except RuntimeError as error:
            return "", [*failures, f"{name}: {error}"]
    return hashlib.sha256((last / "model.safetensors").read_bytes()).hexdigest(), failures


def phases_without(store: Path, site: str = FAR) -> list[tuple[str, int]]:
    """The phases of a run that ended without a site."""
    closed = ledger_of(store, "close")
    return [(line["phase"], line["round"]) for line in closed if site not in line["inputs"]]


def longest_phase(store: Path) -> float:
    """Seconds from the answer of the last other site to the end of the phase; the longest in a run."""
    waits, last = [0.0], None
    for line in ledger_of(store):
        now = datetime.fromisoformat(line["time"])
        if line["kind"] == "accept" and line["site"] != FAR:
            last = now
        elif line["kind"] == "close" and last is not None and FAR not in line["inputs"]:
            waits.append((now - last).total_seconds())
    return max(waits)
