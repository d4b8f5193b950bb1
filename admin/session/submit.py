"""Submit a packaged job, and if wanted follow it and fetch its result.

python -m admin submit build/jobs/fedaid_pretrain --kit KIT --wait --out results
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nvflare.fuel.flare_api.flare_api import Session

from admin.jobs.check import check_job
from admin.jobs.folder import META, read_object
from admin.jobs.plan import lacks_plan
from admin.results.failure import failure_reason
from admin.session.download import download
from admin.session.exit_code import FAILED, INTERRUPTED, OK, exit_code
from admin.session.follow import COMPLETED, DAY, monitor
from admin.session.login import admin_session
from admin.session.progress_display import ProgressDisplay
from fedaid.errors import require


@dataclass
class Outcome:
    """What became of a submission, as far as it got."""

    job_id: str | None = None
    status: str | None = None
    result: Path | None = None


def submit(session: Session, job: Path) -> str:
    """Return the id under which the server accepted the job.

    A copy is submitted: FLARE signs a job folder where it lies, and this one stays as it was packaged.

    Raises:
        InputError: the job is unsound, or needs more sites than are connected.
    """
    check_job(job, local_folders=False)
    require_enough_sites(session, job)
    with tempfile.TemporaryDirectory(prefix="fedaid-submit-") as folder:
        return str(session.submit_job(str(shutil.copytree(job, Path(folder) / job.name))))


def require_enough_sites(session: Session, job: Path) -> None:
    """Refuse a job that the server would keep waiting, without a word, for sites that are not there."""
    least = int(read_object(job / META)["min_clients"])
    sites = sorted(client.name for client in session.get_connected_client_list())
    require(
        least <= len(sites),
        "min_clients",
        "not be above the number of connected sites",
        got=f"{least} with {len(sites)} connected ({', '.join(sites) or 'none'})",
        where=f"{job.name}/{META}",
        remedy="Start the missing sites, or package the job again with --set min_clients=N.",
    )


def warn_without_plan(job: Path) -> None:
    """Say on standard error that nobody has checked a job's timeouts, where its rounds exchange a model."""
    if lacks_plan(job):
        how = f"python -m admin plan {job} --sites S --studies N --bandwidth-mbit B --measure --write"
        print(f"warning: no plan has checked the timeouts of {job.name}: {how}", file=sys.stderr, flush=True)


def run(options: argparse.Namespace, outcome: Outcome) -> None:
    """Submit the job, and with ``--wait`` follow and fetch it; ``outcome`` holds what was reached if one step fails."""
    report = sys.stderr if options.format == "json" else sys.stdout
    warn_without_plan(options.job)
    with admin_session(options.kit) as session:
        outcome.job_id = submit(session, options.job.resolve())
        print(f"job {outcome.job_id}", file=report, flush=True)
        if not options.wait:
            return
        with ProgressDisplay(report) as display:
            outcome.status = monitor(session, outcome.job_id, on_progress=display.show, timeout=options.timeout)
        print(outcome.status, file=report, flush=True)
        outcome.result = download(session, outcome.job_id, options.out)
        print(f"result {outcome.result}", file=report, flush=True)
    if outcome.status != COMPLETED:
        log = outcome.result / "workspace" / "log.txt"
        raise RuntimeError(failure_reason(log) or f"the job ended as {outcome.status}: see {log}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 ok, 1 failed, 2 cannot connect, 3 timed out."""
    options = parse(arguments)
    outcome, message = Outcome(), ""
    try:
        run(options, outcome)
        code = FAILED if outcome.status not in (None, COMPLETED) else OK
    except KeyboardInterrupt:
        code, message = INTERRUPTED, "interrupted; a job that was submitted goes on"
        print(message, file=sys.stderr)
    except Exception as error:
        code = exit_code(error)
        message = " ".join(str(error).split()) or type(error).__name__
        print(f"error: {message}", file=sys.stderr)
    if options.format == "json":
        print(envelope(outcome, code, message))
    return code


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m admin submit", description="Submit a packaged job.")
    parser.add_argument("job", type=Path, help="a job folder that admin.jobs.package made")
    parser.add_argument("--kit", type=Path, required=True, help="startup kit of the lead or the project admin")
    parser.add_argument("--wait", action="store_true", help="follow the job to its end and download the result")
    parser.add_argument("--out", type=Path, default=Path("build/results"), help="default: %(default)s")
    parser.add_argument("--timeout", type=float, default=DAY, help="seconds to wait; default: a day")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="json: one envelope on stdout")
    return parser.parse_args(arguments)


def envelope(outcome: Outcome, code: int, message: str) -> str:
    """Return the outcome as one line of JSON, in the shape of FLARE's own commands."""
    data: dict[str, object] = {"job_id": outcome.job_id, "job_status": outcome.status}
    data["result"] = None if outcome.result is None else str(outcome.result)
    status = "ok" if code == OK else "error"
    content = {"schema_version": "1", "status": status, "exit_code": code, "data": data}
    return json.dumps(content if not message else content | {"message": message})


if __name__ == "__main__":
    sys.exit(main())
