"""A series with a site that is frozen for longer than the server waits, and works again later."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from admin.federation.poc import PocFederation
from admin.results.run_results import STORE
from tests.chaos.outcome import Outcome
from tests.chaos.processes.fault import STOP
from tests.chaos.processes.frozen_site import FROZEN, SITES, WAIT, waited, wake
from tests.chaos.processes.kills import hospitals, wait_until
from tests.chaos.processes.supervised import Runs

ROUNDS, WOKEN_AFTER = 15, 4  # committed rounds; the fault comes in the second one. A round lasts a second or two here


def returning_site(folder: Path) -> Outcome:
    """Freeze a site without which the rounds go on, and let it work again two rounds later."""
    with PocFederation(folder / "poc", SITES, data_roots=hospitals(folder / "data", SITES)) as federation:
        runs = Runs(federation, folder / "runs")
        changes = {"num_rounds": ROUNDS, "min_clients": 2, "wait_time_after_min_received": WAIT, "task_timeout": 300}
        fault = {"machine": FROZEN, "instant": "training", "action": STOP}
        ended = runs.run("returning", woken_in_the_middle, changes=changes, **fault)
        store = federation.record.server_kit / "fedaid_runs" / "returning"
        if not ended.digest:
            return Outcome(place="POC", injected=1, survived=0, failures=(f"no result: {ended.said[-500:]}",))
        extra = waited(store, folder / "runs" / "returning" / "fault") - WAIT
        (delivered,) = (folder / "runs" / "out").glob(f"*/workspace/{STORE}/results.json")
        found = outcome_of(json.loads(delivered.read_text()))
    return replace(found, extra_wait_seconds=round(max(0.0, extra), 1))


def woken_in_the_middle(fault: Path, store: Path) -> None:
    """Wake the frozen process when some rounds are committed without it."""
    wait_until(lambda: (fault / "done").exists())
    wait_until(lambda: (store / f"round-{WOKEN_AFTER:05d}").exists())
    wake(fault)


def outcome_of(results: dict[str, object]) -> Outcome:
    """Whether the results name the rounds that the site missed, and it took part again."""
    history, missed = list(results["history"]), list(results["missed"])  # type: ignore[call-overload]
    absent = [entry["round"] for entry in history if FROZEN not in entry["train"]]
    named = {entry["round"] for entry in missed if (entry["site"], entry["reason"]) == (FROZEN, "silent")}
    faults = []
    if not absent or not {*absent} <= named:
        faults.append(f"rounds {absent} were without the site, and {sorted(named)} are named")
    if FROZEN not in history[-1]["train"]:
        faults.append("the site did not take part again")
    return Outcome(place="POC", injected=1, survived=int(not faults), failures=tuple(faults))
