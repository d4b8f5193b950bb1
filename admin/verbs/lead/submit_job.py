"""Submit a packaged job, and with --wait follow it and fetch its result.

  python -m admin submit build/jobs/fedaid_pretrain --kit KIT --wait --out results

With --wait it shows at the end which site missed which rounds, and why.

The exit code is 0 if the job was accepted (with --wait: completed), 1 if it failed or was refused, 2 if the server
cannot be reached, 3 if --timeout was over before the job, 4 if a person aborted it. A job
without a result has failed, whatever FLARE calls it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from admin.verbs.answer import Answer
from admin.verbs.verb_parser import existing_folder

DAY = 86400.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``submit``."""
    parser.add_argument("job", type=existing_folder, metavar="JOB_FOLDER", help="made by python -m admin package")
    parser.add_argument(
        "--kit", type=existing_folder, required=True, help="startup kit of the lead or the project admin"
    )
    parser.add_argument("--wait", action="store_true", help="follow the job to its end and fetch the result")
    parser.add_argument(
        "--out", type=Path, default=Path("build/results"), help="folder of the results (default: %(default)s)"
    )
    parser.add_argument("--timeout", type=float, default=DAY, help="seconds to wait (default: a day)")


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Submit the job and print its id; with ``--wait`` follow it, and print its status and the result's folder."""
    answer.after_interrupt = "nothing was submitted"
    from admin.session.lasting_session import lasting_session
    from admin.session.submit import submission_warnings, submit

    for problem in submission_warnings(options.job):
        answer.warn(problem)
    answer.data |= {"job_id": None, "job_status": None, "result": None}
    with lasting_session(options.kit, say=answer.warn) as session:
        answer.after_interrupt = "the server may have the job: nvflare job list shows it"
        job_id = submit(session, options.job.resolve())
        answer.add(f"job {job_id}", job_id=job_id)
        answer.after_interrupt = goes_on(job_id, options.kit)
        if options.wait:
            wait(session, job_id, options, answer)


def wait(session: Any, job_id: str, options: argparse.Namespace, answer: Answer) -> None:
    """Follow the job, fetch its result, and print its status, the result's folder and who missed what.

    Raises:
        AbortedOnPurpose: a person aborted the job.
        RuntimeError: the job did not complete.
    """
    from admin.results.missed_rounds import missed_in, missed_so_far
    from admin.results.run_results import software_differences
    from admin.session.display.progress_display import ProgressDisplay
    from admin.session.ended_job import error_of, failure_of, fetched
    from admin.session.follow import COMPLETED, monitor
    from admin.session.run_jobs import rounds_of

    with ProgressDisplay() as display:
        status = monitor(session, job_id, on_progress=display.show, timeout=options.timeout, say=answer.warn)
    answer.add(status, job_status=status)
    answer.after_interrupt = f"fetch the result with python -m admin download {job_id} --kit {options.kit}"
    result = fetched(session, job_id, options.out, needed=status == COMPLETED)
    folder = (result or options.out / job_id) / "workspace"
    if result is not None:
        answer.add(f"result {result}", result=result)
    for line in software_differences(folder):
        answer.warn(line)
    missed = missed_in(folder) or missed_so_far(display.last.absences if display.last else {})
    answer.note(missed, missed=missed.splitlines())
    rounds = rounds_of(options.job)
    found = failure_of(session, job_id, status=status, folder=folder, rounds=rounds, say=answer.warn)
    if found is not None:
        committed = display.last.current_round if display.last else None
        see = f"its log is in {folder}" if result is not None else "it left no result"
        raise error_of(job_id, status, found, committed=committed, see=see)


def goes_on(job_id: str, kit: Path) -> str:
    """Return what Ctrl-C leaves while a job runs."""
    return f"job {job_id} goes on at the server: python -m admin monitor {job_id} --kit {kit}"
