"""Three hospitals of the project file, and a small job that the lead submits to them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from admin.federation.federation import Federation
from admin.federation.start import wait_until_connected
from admin.results.run_results import read_results
from fedaid.models.saved_model import WEIGHTS
from tests.chaos.followed_job import small_hospitals
from tests.chaos.lines.lined_federation import SITES

SECONDS = 1800.0  # that one job may take
PATIENT: dict[str, Any] = {
    "task_timeout": 900,
    "wait_time_after_min_received": 60,
}  # settings of a job on a busy machine
TASK = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) .*got task assignment", re.MULTILINE)


def wait_longer(seconds: float = 300.0) -> None:
    """Lets federations and jobs of this process start on a busy machine, too: FLARE gives up after 60 s."""
    wait_until_connected.__kwdefaults__ = {"seconds": seconds}
    os.environ["NVFLARE_MAX_RUNNER_SYNC_TIMEOUT"] = f"{seconds:g}"


class Submitted(NamedTuple):
    """A job that has completed.

    Attributes:
        job_id: that the server gave it.
        began: seconds since 1970, when the lead's command started.
        run: the server's run folder, as it was downloaded.
    """

    job_id: str
    began: float
    run: Path

    @property
    def model(self) -> Path:
        """The weights of the run's model."""
        return weights_of(self.run)


def named_hospitals(folder: Path, sites: Iterable[str] = SITES) -> dict[str, Path]:
    """Writes a small hospital for each site, and links it to the site's name below ``folder/data``."""
    links = {site: folder / "data" / site for site in sites}
    (folder / "data").mkdir(parents=True)
    for link, root in zip(links.values(), small_hospitals(folder / "hospitals"), strict=False):
        link.symlink_to(root)
    return links


def submitted(lead_kit: Path, job: Path, out: Path) -> Submitted:
    """Submits with the project's command, follows and downloads.

    Raises:
        RuntimeError: with the last words of the command, if the job did not complete.
    """
    began = time.time()
    done = followed_to_the_end(lead_kit, job, out)
    if done.returncode != 0:
        raise RuntimeError(f"the job did not complete: {done.stderr[-500:]}")
    data = json.loads(done.stdout)["data"]
    return Submitted(data["job_id"], began, Path(data["result"]) / "workspace")


def followed_to_the_end(lead_kit: Path, job: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """Submits and follows; whatever the end is, this is what the lead has read."""
    command = [sys.executable, "-m", "admin", "submit", str(job), "--kit", str(lead_kit), "--wait"]
    command += ["--out", str(out), "--format", "json", "--timeout", f"{SECONDS:g}"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS + 60)


def weights_of(run: Path) -> Path:
    """The weights of the model in a server's run folder."""
    return read_results(run).model / WEIGHTS


def hash_of(weights: Path) -> str:
    """Sha256 of a model's weights."""
    return hashlib.sha256(weights.read_bytes()).hexdigest()


def first_task_seconds(kits: Iterable[Path], job: Submitted) -> float:
    """Seconds from the start of the lead's command to the first task at one of the sites.

    Raises:
        ValueError: if no site has had a task.
    """
    logs = [kit / job.job_id / "log.txt" for kit in kits]
    found = [match[1] for log in logs if log.exists() and (match := TASK.search(log.read_text(errors="replace")))]
    first = min(datetime.strptime(time_of, "%Y-%m-%d %H:%M:%S,%f") for time_of in found)
    return round(first.timestamp() - job.began, 1)


def connect_seconds(federation: Federation) -> float:
    """Seconds since the first process of a federation was started; to be asked when its sites are connected."""
    return round(time.time() - min(process.created for process in federation.record.processes), 1)
