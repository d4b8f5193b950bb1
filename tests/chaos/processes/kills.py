"""Series that kill real processes of a federation with SIGKILL; the supervisor continues the run after each."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil

from admin.federation.federation import Federation
from admin.federation.kit_process import family, start_kit
from admin.federation.poc import PocFederation
from admin.twin.consortium import DEMO_HOSPITALS, write_consortium
from tests.chaos.outcome import Outcome
from tests.chaos.processes.fault import SERVER, TELL
from tests.chaos.processes.relayed import RELAY, TrialFederation
from tests.chaos.processes.supervised import Ended, Runs, Strike, outcome

SIZES = (60, 50, 40)  # studies of each hospital
AWAY = 4.0  # seconds until a killed server or site is started again
JOB_MODULES = ("runner_process", "worker_process")  # in the command of a job's process at the server, at a site
POC_INSTANTS = ("round start", "before aggregation", "in the middle of the file", "after the rename")
TLS_INSTANTS = ("first accept", "after aggregation", "before the rename", "after the commit")
POC_AT_SITE, TLS_AT_SITE = (
    ("task received", "before sending"),
    ("training", "in the middle of the upload", "after sending"),
)


def hospitals(folder: Path, names: tuple[str, ...]) -> dict[str, Path]:
    """site → data root of small synthetic hospitals."""
    twins = [replace(one, studies=size) for one, size in zip(DEMO_HOSPITALS, SIZES, strict=True)][: len(names)]
    write_consortium(folder, hospitals=twins, image_size=64)
    return {name: folder / one.name for name, one in zip(names, twins, strict=True)}


def kills_in_poc(folder: Path) -> Outcome:
    """Kills in a POC of three sites, and one run without a kill."""
    names = ("site-1", "site-2", "site-3")
    with PocFederation(folder / "poc", names, data_roots=hospitals(folder / "data", names)) as federation:
        runs = Runs(federation, folder / "runs")
        whole = runs.run("whole")
        struck = at_instants(runs, POC_INSTANTS, POC_AT_SITE, site="site-2")
        struck["two sites at once"] = runs.run("two sites", machine="site-2", instant="training", also=["site-3"])
        struck["the server"] = runs.run(
            "server", killed_parents(federation, SERVER), machine="site-1", instant="task received", action=TELL
        )
        return outcome("POC", whole, struck)


def kills_with_tls(folder: Path) -> Outcome:
    """Kills in a provisioned federation with mutual TLS, of two sites; one is behind a relay."""
    federation = TrialFederation(folder / "tls", data=lambda names: hospitals(folder / "data", names))
    site = federation.sites[1]
    with federation:
        runs = Runs(federation, folder / "runs")
        whole = runs.run("whole")
        struck = at_instants(runs, TLS_INSTANTS, TLS_AT_SITE, site=site)
        for name, kit in (("the server", SERVER), ("a site's parent", site), ("the relay", RELAY)):
            strike = killed_parents(federation, kit)
            struck[name] = runs.run(
                name.replace("'", ""), strike, machine=federation.sites[0], instant="task received", action=TELL
            )
        return outcome("provisioned, TLS", whole, struck)


def at_instants(runs: Runs, server: tuple[str, ...], of_site: tuple[str, ...], *, site: str) -> dict[str, Ended]:
    """Run one job for each instant at which the server's or the site's process of the job is killed."""
    kills = [(SERVER, instant) for instant in server] + [(site, instant) for instant in of_site]
    return {f"{where}: {when}": runs.run(f"{where} {when}", machine=where, instant=when) for where, when in kills}


def killed_parents(federation: Federation, kit: str) -> Strike:
    """Kill the processes of a kit, but not those of its jobs, and start the kit again."""

    def strike(fault: Path, store: Path) -> None:
        wait_until(lambda: (fault / "done").exists())
        record = federation.record
        name = record.server if kit == SERVER else kit
        victims = parents(federation, record.kits / name)
        for process in victims:
            process.kill()
        psutil.wait_procs(victims, timeout=30)
        time.sleep(AWAY)
        start_kit(record.kits / name, log=federation.workspace / "console" / f"{name}-again.txt", mark=record.mark)

    return strike


def parents(federation: Federation, kit: Path) -> list[psutil.Process]:
    """The processes of a kit that are not of a job."""
    record, found = federation.record, []
    for process in family(record.processes, mark=record.mark):
        words = " ".join(process.cmdline())
        if str(kit) in words and not any(module in words for module in JOB_MODULES):
            found.append(process)
    return found


def wait_until(ready: Callable[[], bool], *, seconds: float = 300.0) -> None:
    """Return when the condition holds."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError("the fault did not strike in time")
        time.sleep(0.05)
