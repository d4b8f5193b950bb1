"""A series in which a site's process of the job is frozen with SIGSTOP for longer than the server waits."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from admin.federation.poc import PocFederation
from tests.chaos.outcome import Outcome
from tests.chaos.processes.fault import STOP
from tests.chaos.processes.kills import hospitals, wait_until
from tests.chaos.processes.supervised import Ended, Runs, Strike, ledger_of, outcome

SITES = ("site-1", "site-2", "site-3")
FROZEN, TIMEOUT, WAIT = "site-2", 40, 5  # seconds for a task, and after min_clients answers


def frozen_site(folder: Path) -> Outcome:
    """Freeze a site that the quorum needs, and one without which the rounds go on."""
    with PocFederation(folder / "poc", SITES, data_roots=hospitals(folder / "data", SITES)) as federation:
        runs = Runs(federation, folder / "runs")
        fault = {"machine": FROZEN, "instant": "training", "action": STOP}
        changes = {"task_timeout": TIMEOUT, "wait_time_after_min_received": WAIT}
        whole = runs.run("whole", changes=changes)
        needed = runs.run("needed", woken_after(TIMEOUT + 10), changes=changes, **fault)
        found = outcome("POC", whole, {"frozen, needed by the quorum": needed})
        spared = runs.run("spared", woken_at_the_end, changes=changes | {"min_clients": 2}, **fault)
        store = federation.record.server_kit / "fedaid_runs" / "spared"
        extra = waited(store, folder / "runs" / "spared" / "fault") - WAIT
    return with_spared(found, spared, extra)


def with_spared(found: Outcome, spared: Ended, extra: float) -> Outcome:
    """Add the run that went on without the frozen site; its bits are others, since a site is missing."""
    alive = bool(spared.digest) and spared.recovery is not None
    failures = () if alive else (f"frozen, spared by the quorum: {spared.said[-500:]}",)
    return replace(
        found,
        injected=(found.injected or 0) + 1,
        survived=(found.survived or 0) + int(alive),
        failures=found.failures + failures,
        extra_wait_seconds=round(max(0.0, extra), 1),
    )


def woken_after(seconds: float) -> Strike:
    """Wake the frozen process after its time is over."""

    def strike(fault: Path, store: Path) -> None:
        wait_until(lambda: (fault / "done").exists())
        time.sleep(seconds)
        wake(fault)

    return strike


def woken_at_the_end(fault: Path, store: Path) -> None:
    """Wake the frozen process when the run is finished without it."""
    wait_until(lambda: (fault / "done").exists())
    wait_until(lambda: (store / "finished").exists())
    wake(fault)


def wake(fault: Path) -> None:
    """Continue the frozen process, if FLARE has not ended it."""
    with suppress(ProcessLookupError):
        os.kill(int((fault / f"{FROZEN}.pid").read_text()), signal.SIGCONT)


def waited(store: Path, fault: Path) -> float:
    """Seconds that the gates after the freeze stayed open after the last answer that they accepted."""
    frozen, total, last = float((fault / "done").read_text()), 0.0, 0.0
    for line in ledger_of(store):
        now = datetime.fromisoformat(line["time"]).timestamp()
        if line["kind"] == "accept":
            last = now
        if line["kind"] == "close" and now > frozen:
            total += now - max(last, frozen)
    return total
