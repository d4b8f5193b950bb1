"""Run a packaged job in FLARE's simulator: all sites on this machine, without certificates."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from admin.federation.kit_process import end, family, kit_environment, site_threads
from admin.federation.record import new_mark
from admin.federation.sigterm import sigterm_leaves
from admin.federation.site_names import require_site_names
from admin.jobs.job_check import check_job
from admin.results.failure import failure_reason
from fedaid.errors import require
from fedaid.flare.store.run_folder import VARIABLE as RUN_STORE

CONSOLE = "console.txt"
RUN_FOLDER = Path("server/simulate_job/app_server")
TIMEOUT_SECONDS = 1800.0


def simulate(
    job: Path,
    *,
    workspace: Path,
    sites: Sequence[str],
    data: Path,
    threads: int | None = None,
    timeout: float = TIMEOUT_SECONDS,
    runs: Path | None = None,
) -> Path:
    """Run the job to its end and return the server's run folder: models, metrics and everything that the job wrote.

    Args:
        job: a packaged job's folder.
        workspace: absent, empty, or left by an earlier simulation; the simulator deletes its content.
        sites: the names of the sites.
        data: a folder with one folder for each site; FEDAID_DATA passes it to the job as ``<data>/{site}``.
        threads: number of sites that work at once; None means all. With fewer, every task starts a process (12 s a
            round).
        timeout: seconds after which the simulation is ended.
        runs: folder that keeps the run, so that a later simulation of a job with the same run name continues it; None
            keeps it in the workspace.

    Raises:
        InputError: job, sites, data or workspace are invalid.
        RuntimeError: the simulation failed; the message names the log.
        TimeoutError: the simulation took too long; a wrong client config hangs the simulator.
    """
    check_job(job)
    require_code(job)
    require_site_names(sites)
    require_data(data, sites)
    require_replaceable(workspace)
    command = [sys.executable, "-m", "nvflare.private.fed.app.simulator.simulator", str(job.resolve())]
    command += ["-w", str(workspace.resolve()), "-c", ",".join(sites), "-t", str(threads or len(sites))]
    cores = site_threads(threads or len(sites))
    code = run_logged(command, workspace=workspace, data=data, threads=cores, timeout=timeout, runs=runs)
    log = workspace / CONSOLE
    if code is None:
        raise TimeoutError(f"the simulation was ended after {timeout:.0f} s: see {log}")
    if code != 0 or not (workspace / RUN_FOLDER).is_dir():
        raise RuntimeError(f"the simulation failed: {failure_reason(log) or f'code {code}'} (see {log})")
    return workspace / RUN_FOLDER


def run_logged(
    command: Sequence[str], *, workspace: Path, data: Path, timeout: float, threads: int = 1, runs: Path | None = None
) -> int | None:
    """Run the command like :func:`run`, then move its log into the workspace, which the simulator empties first."""
    workspace.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=workspace.parent, prefix=".console-", delete=False) as console:
        try:
            return run(command, console=Path(console.name), data=data, threads=threads, timeout=timeout, runs=runs)
        finally:
            workspace.mkdir(exist_ok=True)
            Path(console.name).rename(workspace / CONSOLE)


def run(
    command: Sequence[str], *, console: Path, data: Path, timeout: float, threads: int = 1, runs: Path | None = None
) -> int | None:
    """Return the command's exit code, or None after a timeout; end all its processes in every case."""
    mark = new_mark()
    environment = kit_environment(mark, threads=threads) | {"FEDAID_DATA": f"{data.resolve()}{os.sep}{{site}}"}
    if runs is not None:
        environment |= {RUN_STORE: f"{runs.resolve()}{os.sep}{{site}}"}
    with sigterm_leaves(), console.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - this interpreter, no shell
            command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        try:
            return process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        finally:
            end(family([], mark=mark))


def require_code(job: Path) -> None:
    """Refuse a job without code, which needs kits of its own."""
    ships = any(job.glob("*/custom"))
    remedy = "Package it without --no-code; the bits are the same."
    require(ships, "job", "have its code, to be simulated", got="none", where=job.name, remedy=remedy)


def require_data(data: Path, sites: Sequence[str]) -> None:
    """Refuse a data folder without a folder for every site."""
    missing = [site for site in sites if not (data / site).is_dir()]
    remedy = "Give the folder that has one folder for each site, by its name."
    got = f"{missing} without one"
    require(not missing, "data", "have a folder for every site", got=got, where=str(data), remedy=remedy)


def require_replaceable(workspace: Path) -> None:
    """Refuse a workspace with other files than a simulation's, because the simulator deletes them all."""
    free = not workspace.exists() or (workspace / CONSOLE).is_file() or not any(workspace.iterdir())
    remedy = "Give a folder of its own."
    require(free, "workspace", "be a simulation's", got="other files", where=str(workspace), remedy=remedy)
