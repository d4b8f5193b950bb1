"""A second machine with a site's kit beside a running job, and a job that starts without a hospital."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from nvflare.fuel.flare_api.flare_api import Session

from admin.__main__ import main
from admin.federation.kit_process import KitProcess, family, start_kit
from admin.federation.provision import ProvisionedFederation
from admin.session.download import download
from admin.session.follow import COMPLETED, JobWatch
from admin.session.job_progress import Progress
from admin.session.login import admin_session
from admin.session.submit import submit
from tests.integration.conftest import small_job
from tests.integration.test_provisioned import PROJECT, project_sites

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]
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
    job = small_job(tmp_path / "jobs", sites=1, num_rounds=ROUNDS, wait_time_after_min_received=5)
    with ProvisionedFederation(tmp_path / "federation", PROJECT, data_roots=roots) as federation:
        record, lead = federation.record, federation.lead_kit
        copy = Path(shutil.copytree(record.kits / copied, tmp_path / "other" / copied, ignore=no_state))
        end(next(process for process in record.processes if process.kit == away), mark=record.mark)
        with admin_session(lead, timeout=60) as session:
            wait(lambda: connected(session) == {*sites} - {away}, 180)
            followed = Followed(session, submit(session, job))
            fight(copy, record.server_kit / "log.txt", followed)
            wait(lambda: followed.look().startswith("FINISHED"), 1500)
            result = download(session, followed.job_id, tmp_path / "out")
        assert followed.status == COMPLETED
        results = json.loads((result / "workspace/app_server/fedaid/results.json").read_text())
        assert [(one["site"], one["attempt"]) for one in results["absent"]] == [(away, 1)]
        assert f"ALARM: two machines use the startup kit of site {copied} since" in "\n".join(followed.said)
        assert f"site {away} has no part in job {followed.job_id}" in "\n".join(followed.said)
        print("missed", [(one["round"], one["phase"], one["text"]) for one in results["missed"]])
        assert copied in results["history"][-1]["train"], "it takes part again"
        capsys.readouterr()
        assert main(["status", "--kit", str(lead), "--out", str(tmp_path / "out")]) == 0
        shown = capsys.readouterr()
        assert f"ALARM: two machines used the startup kit of site {copied} from" in shown.err
        assert f"without site {away}: it was not connected when the job started" in shown.out


class Followed:
    """A job that is followed by hand, and what the lead is told of it."""

    def __init__(self, session: Session, job_id: str) -> None:
        self.said: list[str] = []
        self.rounds, self.status = 0, ""
        self.job_id = job_id
        self._watch = JobWatch(session, job_id, on_progress=self._note, say=self.said.append)

    def _note(self, progress: Progress) -> None:
        self.rounds = progress.current_round

    def look(self) -> str:
        self.status = self._watch.look()
        return self.status

    def until(self, done: Callable[[], bool], seconds: float) -> float:
        """Follows the job until something is so; returns the seconds that it took."""
        began = time.monotonic()
        wait(lambda: self.look() and done(), seconds)
        return time.monotonic() - began


def fight(copy: Path, log: Path, followed: Followed) -> None:
    """Runs the copy of a kit beside the original for some time; returns when the original is connected again."""
    followed.until(lambda: followed.rounds >= 1, 900)
    second = start_kit(copy, log=copy.parent / "console.txt", mark=COPY)
    try:
        seconds = followed.until(lambda: any("ALARM" in line for line in followed.said), 300)
        began, rounds = time.monotonic(), followed.rounds
        followed.until(lambda: time.monotonic() - began > FIGHT_SECONDS, 300)
    finally:
        end(second, mark=COPY)
    back = followed.until(lambda: "Re-activate the client" in log.read_text(), BACK_SECONDS)
    print(f"alarm {seconds:.0f} s after the copy's start; back {back:.0f} s after its end", file=sys.stderr)
    print(f"rounds {rounds} to {followed.rounds}; job {followed.status}", file=sys.stderr)
    assert log.read_text().count("ALARM: two machines") == 1


def connected(session: Session) -> set[str]:
    return {client.name for client in session.get_connected_client_list()}


def no_state(folder: str, names: list[str]) -> set[str]:
    """What a started kit has besides its files."""
    return {
        name
        for name in names
        if name.endswith(".fl") or name.startswith(("log.", "log_fl", "error_log", "fedaid_runs"))
    }


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
