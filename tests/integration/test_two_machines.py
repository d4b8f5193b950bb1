"""A second machine with a site's kit beside a running job, and a job that starts without a hospital."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from admin.__main__ import main
from admin.federation.kit_process import KitProcess, family, start_kit
from admin.federation.provision import ProvisionedFederation
from admin.session.follow import COMPLETED
from admin.session.job_process import two_machines
from admin.session.login import admin_session
from tests.integration.conftest import small_job
from tests.integration.test_provisioned import PROJECT, project_sites

pytestmark = pytest.mark.long
ROUNDS = 60
COPY = f"copy-{os.getpid()}"  # mark of the copy's processes
FIGHT_SECONDS = 25.0
BACK_SECONDS = 75.0


def test_a_copied_kit_is_an_alarm_and_the_job_goes_on_without_a_hospital(
    consortium: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sites = project_sites()
    copied, _, away = sites
    roots = dict(zip(sites, sorted(consortium.iterdir()), strict=True))
    with ProvisionedFederation(tmp_path / "federation", PROJECT, data_roots=roots) as federation:
        kits, lead = federation.record.kits, federation.lead_kit
        copy = Path(shutil.copytree(kits / copied, tmp_path / "other" / copied, ignore=no_state))
        end(process_of(federation, away), mark=federation.record.mark)
        wait(lambda: connected(lead) == {*sites} - {away}, 120)
        job = small_job(tmp_path / "jobs", sites=1, num_rounds=ROUNDS, wait_time_after_min_received=5)
        command = [sys.executable, "-m", "admin", "submit", str(job), "--kit", str(lead), "--wait", "--format", "json"]
        with subprocess.Popen(
            [*command, "--out", str(tmp_path / "out")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as submitted:
            try:
                fight(copy, lead, kits, copied, round_reached(tmp_path, kits))
                stdout, stderr = submitted.communicate(timeout=900)
            finally:
                submitted.kill()
        print(stderr[-6000:])
        assert submitted.returncode == 0
        answer = json.loads(stdout)["data"]
        assert answer["job_status"] == COMPLETED
        assert f"ALARM: two machines use the startup kit of site {copied} since" in stderr
        assert f"site {away} has no part in job {answer['job_id']}" in stderr
        results = json.loads((Path(answer["result"]) / "workspace/app_server/fedaid/results.json").read_text())
        assert [(one["site"], one["attempt"]) for one in results["absent"]] == [(away, 1)]
        assert copied in results["history"][-1]["train"], "it takes part again"
        capsys.readouterr()
        assert main(["status", "--kit", str(lead), "--out", str(tmp_path / "out")]) == 0
        shown = capsys.readouterr()
        assert f"ALARM: two machines used the startup kit of site {copied} from" in shown.err
        assert f"without site {away}: it was not connected when the job started" in shown.out


def fight(copy: Path, lead: Path, kits: Path, site: str, started: Callable[[], bool]) -> None:
    """Runs the copy of a kit beside the original for some time; returns when the original is connected again."""
    wait(started, 240)
    began = time.monotonic()
    second = start_kit(copy, log=copy.parent / "console.txt", mark=COPY)
    try:
        wait(lambda: site in alarms(lead), 120)
        print(f"alarm after {time.monotonic() - began:.0f} s")
        time.sleep(FIGHT_SECONDS)
    finally:
        end(second, mark=COPY)
    ended = time.monotonic()
    log = kits / "fl-server" / "log.txt"
    wait(lambda: "Re-activate the client" in log.read_text(), BACK_SECONDS)
    print(f"back after {time.monotonic() - ended:.0f} s")
    assert log.read_text().count("ALARM: two machines") == 1


def alarms(lead: Path) -> dict[str, str]:
    with admin_session(lead) as session:
        return two_machines(session)


def connected(lead: Path) -> set[str]:
    with admin_session(lead) as session:
        return {client.name for client in session.get_connected_client_list()}


def round_reached(tmp_path: Path, kits: Path) -> Callable[[], bool]:
    """Whether a round of the job is committed."""
    return lambda: any((kits / "fl-server" / "fedaid_runs").glob("*/round-*"))


def no_state(folder: str, names: list[str]) -> set[str]:
    """What a started kit has besides its files."""
    return {name for name in names if name.endswith(".fl") or name.startswith(("log", "fedaid_runs"))}


def process_of(federation: ProvisionedFederation, site: str) -> KitProcess:
    return next(process for process in federation.record.processes if process.kit == site)


def end(process: KitProcess, *, mark: str) -> None:
    """Ends one kit with what it started."""
    top = process.running()
    members = [*top.children(recursive=True), top] if top else []
    members += [one for one in family([], mark=mark) if mark == COPY]
    for member in members:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(members, timeout=10)


def wait(done: Callable[[], Any], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(2.0)
