"""Which process is what: of a POC by its kits, of a simulation by its command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import psutil

from admin.federation.kit_process import children_of
from admin.federation.poc import SERVER, PocFederation
from tests.benchmarks.size.memory import Parts

SITE, RELAY, JOB = "site", "relay", "server"  # names of parts, or their starts
WORKER = "nvflare.private.fed.app.simulator.simulator_worker"
RUNNER = "nvflare.private.fed.app.simulator.simulator"
JOB_PROCESSES = ("runner_process", "worker_process")  # modules of FLARE: of a job at the server, and at a site


def of_poc(federation: PocFederation) -> Parts:
    """Processes of a POC: of each site's job, its training included, of the server's job, and the kits' own."""
    found: dict[str, list[int]] = {}
    for kit in federation.record.processes:
        parent = kit.running()
        for process in [parent, *children_of(parent)] if parent else []:
            own = not any(runs_job(one) for one in lineage(process, parent))
            name = f"{RELAY} of {kit.kit}" if own else JOB if kit.kit == SERVER else f"{SITE} {kit.kit}"
            found.setdefault(name, []).append(process.pid)
    return found


def of_simulation() -> Parts:
    """Processes of a simulation that this process has started: of each site, and the rest, which is the server."""
    found: dict[str, list[int]] = {}
    for process in children_of(psutil.Process()):
        words = words_of(process)
        if WORKER in words:
            found.setdefault(f"{SITE} {words[words.index('--client') + 1]}", []).append(process.pid)
        elif RUNNER in words:
            found.setdefault(JOB, []).append(process.pid)
    return found


def lineage(process: psutil.Process, last: psutil.Process) -> Iterator[psutil.Process]:
    """A process and its ancestors up to the last one, which is left out."""
    with suppress(psutil.Error):
        while process is not None and process.pid != last.pid:
            yield process
            process = process.parent()


def runs_job(process: psutil.Process) -> bool:
    """Whether this is FLARE's process of a job."""
    return any(word.rpartition(".")[2] in JOB_PROCESSES for word in words_of(process))


def words_of(process: psutil.Process) -> list[str]:
    """The command line; empty if the process has ended."""
    with suppress(psutil.Error):
        return list(process.cmdline())
    return []
