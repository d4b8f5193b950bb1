"""The killed process of one site costs that site its part of the job, and nobody else the job."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest

from admin.federation.kit_process import family
from admin.federation.poc import PocFederation
from tests.chaos.followed_job import followed
from tests.integration.conftest import small_job

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]
ROUNDS = 4


def job_process(federation: PocFederation, site: str) -> psutil.Process:
    """The process of the only job at a site; its child trains."""
    kit = str(federation.record.kits / site)
    found = family(federation.record.processes, mark=federation.record.mark)
    (process,) = (one for one in found if "worker_process" in " ".join(one.cmdline()) and kit in one.cmdline())
    return process


def test_a_killed_site_costs_itself_and_the_job_commits_every_round(consortium: Path, tmp_path: Path) -> None:
    roots = {path.name: path for path in sorted(consortium.iterdir())}
    lost = sorted(roots)[-1]
    job = small_job(tmp_path / "job", sites=2, num_rounds=ROUNDS, run_name="killed", wait_time_after_min_received=20)
    with (
        PocFederation(tmp_path / "poc", list(roots), data_roots=roots) as federation,
        followed(federation, job, run_name="killed", out=tmp_path / "out") as running,
    ):
        running.wait_for("open", phase="align", round=2)
        job_process(federation, lost).kill()
        results = json.loads((running.end(seconds=1500) / "results.json").read_text())
        starts = running.ledger("start")
    assert (results["round"], len(starts)) == (ROUNDS, 1)
    # On a busy machine another site may be late, too.
    assert {entry["round"] for entry in results["missed"] if entry["site"] == lost} >= {*range(2, ROUNDS)}
