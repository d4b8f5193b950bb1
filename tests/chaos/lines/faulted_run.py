"""A job during which the line of a hospital fails, and what became of each fault."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from tests.chaos.followed_job import FollowedJob, followed, ledger_of
from tests.chaos.lines.gaps import Gap, gaps_of, wrongly_named
from tests.chaos.lines.line import Line, until
from tests.chaos.lines.line_fault import LineFault
from tests.chaos.lines.lined_federation import FAR, LinedFederation
from tests.integration.conftest import small_job

MODEL = {"projection_hidden": 1024, "embedding_dim": 512}  # 4.8 MB, of which the alignment modules are 2.4 MB
END_SECONDS = 180.0  # from the last fault to the end of the command, at most; the rounds without a fault come on top
AT_THE_END = "cut while the job ends"


class Planned(NamedTuple):
    """A job and its faults.

    Attributes:
        name: of the run.
        rounds: of the job.
        settings: of the job.
        faults: one after the other.
        usual: bytes a second of the line until the last fault; None means no limit.
        cut_end: whether the line is cut from the last commit until the job's process at the server has ended.
    """

    name: str
    rounds: int
    settings: dict[str, Any]
    faults: Sequence[LineFault] = ()
    usual: float | None = None
    cut_end: bool = False


class Injection(NamedTuple):
    """What became of a planned fault.

    Attributes:
        name: of the fault.
        phase: that it hit.
        round: the same, from 1; 0 if the fault was not injected.
        problem: why it was not injected, or not survived; empty if it was survived.
    """

    name: str
    phase: str
    round: int
    problem: str = ""


class FaultedRun(NamedTuple):
    """How a run ended.

    Attributes:
        model: sha256 of the last model; empty if the job failed.
        faults: what became of each.
        gaps: the phases that the hospital missed.
        seconds: of a round, on average.
        failures: of the run as a whole.
    """

    model: str
    faults: list[Injection]
    gaps: list[Gap]
    seconds: float
    failures: list[str]


def run_with_faults(federation: LinedFederation, folder: Path, plan: Planned) -> FaultedRun:
    """Runs a job; each fault comes after the hospital has taken part again."""
    name, line = plan.name, federation.line
    store = federation.record.server_kit / "fedaid_runs" / name
    job = small_job(folder / "jobs" / name, sites=2, run_name=name, num_rounds=plan.rounds, **MODEL, **plan.settings)
    line.usual = plan.usual
    line.mend()
    with followed(federation, job, run_name=name, out=folder / "out") as running:
        faults = [injection(fault, running, line) for fault in plan.faults]
        line.usual = None
        line.mend()
        failures, results, model = list[str](), dict[str, Any](), ""
        try:
            until(lambda: is_through(running, plan.rounds), seconds=2400, what=f"round {plan.rounds}")
            if plan.cut_end:
                faults.append(cut_at_the_end(line, plan.rounds, federation.record.server_kit))
            start = time.monotonic()
            found = running.end(seconds=END_SECONDS)
            print(f"{name}: the command ended {time.monotonic() - start:.0f} s after the last fault", flush=True)
            model = hashlib.sha256((max(found.glob("round-*")) / "model.safetensors").read_bytes()).hexdigest()
            results = json.loads((found / "results.json").read_text())
        except (RuntimeError, TimeoutError) as error:
            failures = [f"{name}: {error}"]
    gaps = gaps_of(store)
    failures += [f"{name}: {odd}" for odd in wrongly_named(results, gaps)] if results else []
    return FaultedRun(model, faults, gaps, seconds_of_a_round(store), failures)


def is_through(job: FollowedJob, rounds: int) -> bool:
    """Whether the last round is committed, or the command has ended."""
    return job.has("commit", round=rounds) or job.process.poll() is not None


def injection(fault: LineFault, job: FollowedJob, line: Line) -> Injection:
    """Injects a fault in the next phase of its kind, and waits until the hospital has taken part in one after it."""
    line.bytes_per_second = fault.before or line.usual
    try:
        number = next_opening(job, fault.phase)
        start = time.monotonic()
        fault.inject(job, line, number)
    except (RuntimeError, TimeoutError) as error:
        return Injection(fault.name, fault.phase, 0, f"not injected: {error}")
    finally:
        line.mend()
    seconds, lines = time.monotonic() - start, len(job.ledger())

    def back() -> bool:
        return any(entry["kind"] == "accept" and entry["site"] == FAR for entry in job.ledger()[lines:])

    try:
        until(lambda: back() or job.process.poll() is not None, seconds=600, what=f"an answer of {FAR}")
    except TimeoutError as error:
        return Injection(fault.name, fault.phase, number, str(error))
    took = time.monotonic() - start - seconds
    print(f"round {number}, {fault.phase}: {fault.name}: {seconds:.0f} s, back after {took:.0f} s", flush=True)
    return Injection(fault.name, fault.phase, number, "" if back() else f"{FAR} took part in no phase after the fault")


def next_opening(job: FollowedJob, phase: str) -> int:
    """Waits until a phase opens that has not opened yet, and returns its round.

    Raises:
        RuntimeError: if the job ended before.
        TimeoutError: if none opened.
    """
    before = len(job.ledger())

    def opened() -> list[int]:
        return [line["round"] for line in job.ledger()[before:] if line["kind"] == "open" and line["phase"] == phase]

    until(lambda: bool(opened()) or job.process.poll() is not None, seconds=600, what=f"another {phase}")
    if not opened():
        raise RuntimeError(f"the job ended before another {phase}")
    return opened()[0]


def cut_at_the_end(line: Line, rounds: int, server_kit: Path) -> Injection:
    """Cuts the line until the job's process at the server has ended, so that the hospital does not hear of the end."""
    if not job_processes(server_kit):
        return Injection(AT_THE_END, "", 0, "not injected: the job's process at the server had ended")
    line.cut()
    try:
        until(lambda: not job_processes(server_kit), seconds=120, what="the end of the job's process at the server")
        time.sleep(2.0)
    except TimeoutError as error:
        return Injection(AT_THE_END, "", 0, f"not injected: {error}")
    finally:
        line.mend()
    return Injection(AT_THE_END, "", rounds)


def job_processes(server_kit: Path) -> list[int]:
    """The processes of jobs of a server."""
    words = {one.pid: one.info["cmdline"] or [] for one in psutil.process_iter(["cmdline"])}
    return [
        pid
        for pid, line in words.items()
        if any("runner_process" in word for word in line) and any(str(server_kit) in word for word in line)
    ]


def seconds_of_a_round(store: Path) -> float:
    """The average over a run; 0 if fewer than two rounds were committed."""
    times = [datetime.fromisoformat(line["time"]) for line in ledger_of(store, "commit")]
    return (times[-1] - times[0]).total_seconds() / (len(times) - 1) if len(times) > 1 else 0.0
