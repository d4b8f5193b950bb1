"""Runs a job in a POC or in the simulator, and says what it took."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from admin.federation.poc import PocFederation
from admin.federation.simulate import simulate
from admin.session.download import download
from admin.session.follow import COMPLETED, monitor
from admin.session.login import admin_session
from admin.session.submit import submit
from tests.benchmarks.flare_round import Lines, lines
from tests.benchmarks.simulated_run import total_bytes
from tests.benchmarks.size.exchange import exchange_seconds, outside_seconds
from tests.benchmarks.size.memory import Peaks, watched
from tests.benchmarks.size.processes import of_poc, of_simulation

LONGEST = 7200.0  # seconds of a job
RESULTS = "results.json"


def in_poc(federation: PocFederation, job: Path, *, rounds: int) -> dict[str, Any]:
    """Peaks, bytes and seconds of a job."""
    with admin_session(federation.lead_kit, timeout=60) as session, watched(lambda: of_poc(federation)) as peaks:
        job_id = submit(session, job)
        status = monitor(session, job_id, on_progress=lambda progress: None, timeout=LONGEST)
        if status != COMPLETED:
            raise RuntimeError(f"the job ended as {status}: {job_id}")
        folder = download(session, job_id, federation.workspace / "out") / "workspace"
    kits = federation.record.kits
    sites = [lines(next((kits / site / job_id).glob("log.txt"))) for site in federation.sites]
    return taken(peaks, folder, lines(folder / "log.txt"), sites, rounds=rounds)


def taken(peaks: Peaks, folder: Path, server: Lines, sites: list[Lines], *, rounds: int) -> dict[str, Any]:
    """What a finished job took, by its logs and its results."""
    seconds = {
        "exchange_seconds": exchange_seconds(sites, rounds),
        "outside_executor_seconds": outside_seconds(server, sites),
    }
    return {"mb": peaks.mb, **seconds, **bytes_in(folder)}


def bytes_in(folder: Path) -> dict[str, Any]:
    """Bytes of the whole run, if the job has written results."""
    found = list(folder.rglob(RESULTS))
    return {"run_mb": total_bytes(json.loads(found[0].read_text())) / 1e6} if found else {}


def in_simulator(job: Path, workspace: Path, *, sites: list[str], data: Path) -> dict[str, Any]:
    """Peaks and bytes of a job; the server's part is the simulator itself."""
    with watched(of_simulation) as peaks:
        ended = simulate(job, workspace=workspace, sites=sites, data=data, timeout=LONGEST)
    return {"mb": peaks.mb, **bytes_in(ended)}
