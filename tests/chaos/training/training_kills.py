"""``kill -9`` of the process in which one site trains, and want of memory there: it costs that site a round each."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import psutil

from admin.federation.poc import PocFederation
from admin.session.download import download
from admin.session.follow import COMPLETED, monitor
from admin.session.login import admin_session
from admin.twin.consortium import DEMO_HOSPITALS, write_consortium
from tests.chaos.outcome import Outcome
from tests.chaos.training.memory_group import MemoryGroup
from tests.chaos.training.watched_site import WatchedSite, until
from tests.integration.conftest import small_job

SITES = [hospital.name for hospital in DEMO_HOSPITALS]
VICTIM = SITES[1]
ALIGN, PRETRAIN = "task_name=align", "task_name=pretrain"
BEGINS, ENDS, READ = "invoking task executor", "finished processing task", "studies; skipped by reason"
SETTINGS: dict[str, Any] = {
    "pretrain_steps": 40,
    "report_student_loss": True,
    "loss_baseline": "student",
    "wait_time_after_min_received": 120,
}
LITTLE = 120 * 2**20  # bytes: less than a process needs to load torch
Fault = Callable[[WatchedSite], None]
Faults = Mapping[str, tuple[Fault, int]]  # name → how it is injected, rounds that it costs the site


def task_received(site: WatchedSite) -> None:
    site.wait(ALIGN, BEGINS)
    site.child.kill()


def data_loaded(site: WatchedSite) -> None:
    site.wait(READ)
    site.child.kill()


def in_a_step(site: WatchedSite) -> None:
    site.wait(PRETRAIN, BEGINS)
    time.sleep(0.5)
    site.child.kill()


def before_the_answer(site: WatchedSite) -> None:
    """The process of the job is stopped for a moment, so that it cannot take the answer before its child is killed."""
    site.wait(PRETRAIN, BEGINS)
    job, child = site.job, site.child
    job.suspend()
    until(site.answer_is_written)
    child.kill()
    job.resume()


def after_the_answer(site: WatchedSite) -> None:
    site.wait(PRETRAIN, BEGINS)
    site.wait(PRETRAIN, ENDS)
    site.child.kill()


def kernel_kills(site: WatchedSite) -> None:
    """The process of the job gets a control group with little memory; the next process that trains grows beyond it."""
    site.wait(PRETRAIN, ENDS)
    with MemoryGroup(LITTLE) as group:
        job, child = site.job, site.child
        group.add(job.pid)
        child.kill()
        site.wait("out of memory (signal 9, SIGKILL of the kernel)")


KILLS: Faults = {
    "task received": (task_received, 1),
    "data loaded": (data_loaded, 1),
    "in a step": (in_a_step, 1),
    "before the answer": (before_the_answer, 1),
    "after the answer": (after_the_answer, 0),
}
WANT_OF_MEMORY: Faults = {"kernel kills": (kernel_kills, 1)}


def training_kills(folder: Path) -> Outcome:
    """Kills at five instants, one a round."""
    return injected(folder, KILLS)


def want_of_memory(folder: Path) -> Outcome:
    """The kernel ends the process in a real control group, if this machine allows to make one."""
    if not MemoryGroup.allowed():
        return Outcome(place="POC", failures=("this machine allows no control group of memory",))
    return injected(folder, WANT_OF_MEMORY)


def injected(folder: Path, faults: Faults) -> Outcome:
    """A run of three sites; one of them has the faults, the first one after a whole round."""
    hospitals = [replace(hospital, studies=60) for hospital in DEMO_HOSPITALS]
    write_consortium(folder / "data", hospitals=hospitals, image_size=64)
    rounds = len(faults) + 3
    job = small_job(folder / "jobs", sites=2, run_name="kills", num_rounds=rounds, **SETTINGS)
    roots = {site: folder / "data" / site for site in SITES}
    seconds: list[float] = []
    with PocFederation(folder / "poc", SITES, data_roots=roots) as federation, ExitStack() as stack:
        session = stack.enter_context(admin_session(federation.lead_kit))
        job_id = session.submit_job(str(job))
        record = federation.record
        site = WatchedSite(record.kits / VICTIM, job_id, record.server_kit / "fedaid_runs" / "kills")
        thread = Thread(target=inject, args=(site, faults, seconds), daemon=True)
        thread.start()
        status = monitor(session, job_id, on_progress=lambda progress: None, timeout=1800)
        thread.join(5)
        workspace = download(session, job_id, folder / "out") / "workspace"
        return judged(status, workspace, faults, seconds=seconds, children=site._children())


def inject(site: WatchedSite, faults: Faults, seconds: list[float]) -> None:
    """Injects the faults in turn, and notes the seconds from each to the next committed round."""
    site.wait(PRETRAIN, ENDS)
    for fault, _ in faults.values():
        fault(site)
        seconds.append(site.seconds_to_commit())


def judged(
    status: str, workspace: Path, faults: Faults, *, seconds: list[float], children: list[psutil.Process]
) -> Outcome:
    """What came of it: the rounds that each site has missed, against those that the faults cost."""
    results = next(workspace.rglob("results.json"), None)
    history = json.loads(results.read_text())["history"] if results else []
    missed = {site: sum(site not in entry["train"] for entry in history) for site in SITES}
    expected = {site: 0 for site in SITES} | {VICTIM: sum(cost for _, cost in faults.values())}
    failures = [] if status == COMPLETED else [f"the job ended as {status}"]
    failures += [] if len(history) == len(faults) + 3 else [f"{len(history)} rounds were committed"]
    failures += [] if missed == expected else [f"rounds missed by site: {missed}, expected {expected}"]
    failures += [] if len(seconds) == len(faults) else [f"{len(seconds)} of {len(faults)} faults were injected"]
    failures += [] if not children else ["a process that trains was left"]
    return Outcome(
        place="POC",
        injected=len(faults),
        survived=0 if failures else len(faults),
        rounds_lost=max(0, len(faults) + 3 - len(history)),
        recovery_seconds=round(max(seconds, default=0.0), 1),
        failures=tuple(failures),
    )
