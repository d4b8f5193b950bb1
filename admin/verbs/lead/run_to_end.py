"""Keep a run going until it is done: submit its job, follow it, and after a setback submit it again.

  python -m admin run build/jobs/fedaid_pretrain --kit KIT --out results

After a failed job, a restarted server or a lost connection it says in one line what happened, waits, and continues the
run after its last committed round. Ctrl-C leaves the run going; the same command finds it again.

A failure that no other job can mend, such as another setting or a missing file at a site, ends it at once, with the
reason, the site and what to do. A site that was away and is connected again is taken in with the next job.

At the end it shows which site missed which rounds, and why.

The exit code is 0 if the run is complete, 1 if its attempts are spent, it was refused, or a person must mend something
first, 2 if the server or a site was away for longer than --patience, 4 if a person aborted a job.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from admin.verbs.answer import Answer
from admin.verbs.verb_parser import existing_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``run``."""
    parser.add_argument("job", type=existing_folder, metavar="JOB_FOLDER", help="made by python -m admin package")
    parser.add_argument(
        "--kit", type=existing_folder, required=True, help="startup kit of the lead or the project admin"
    )
    parser.add_argument("--attempts", type=int, default=5, help="jobs at most (default: %(default)s)")
    parser.add_argument(
        "--patience",
        type=float,
        default=3600.0,
        help="seconds to wait for the server or a site to come back (default: %(default)s)",
    )
    parser.add_argument(
        "--segment-rounds",
        type=int,
        default=1,
        metavar="N",
        help="end a job, to take in a site that came back, after N rounds at least; 0 for never (default: %(default)s)",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("build/results"), help="folder of the results (default: %(default)s)"
    )


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Keep the run going, and print the last job's status and the result's folder."""
    answer.after_interrupt = left_by_interrupt(None, options)
    from admin.session.display.progress_display import ProgressDisplay
    from admin.session.lasting_session import lasting_session
    from admin.session.supervisor import Supervisor
    from fedaid.errors import require

    where, remedy = "the command line", "Give the number of jobs at most, such as 5."
    require(options.attempts >= 1, "--attempts", "be at least 1", got=options.attempts, where=where, remedy=remedy)
    rounds, remedy = options.segment_rounds, "Give 0 to never end a job for a site that came back."
    require(rounds >= 0, "--segment-rounds", "be at least 0", got=rounds, where=where, remedy=remedy)
    answer.data |= {"job_id": None, "job_status": None, "result": None, "attempts": []}
    warn_of_job(options.job, answer)

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    def on_job(job_id: str | None) -> None:
        answer.after_interrupt = left_by_interrupt(job_id, options)

    with lasting_session(options.kit, patience=options.patience, say=say) as session, ProgressDisplay() as display:
        supervisor = Supervisor(
            options.job.resolve(),
            session,
            options.out,
            attempts=options.attempts,
            patience=options.patience,
            segment_rounds=options.segment_rounds,
            say=say,
            on_progress=display.show,
            on_job=on_job,
        )
        try:
            end = supervisor.run()
        finally:
            answer.data["attempts"] = [asdict(ended) for ended in supervisor.ended]
    answer.add(end.status, job_id=end.job_id, job_status=end.status)
    answer.add(f"result {end.result}", result=end.result)
    if end.result:
        note_differences(Path(end.result) / "workspace", answer)


def warn_of_job(job: Path, answer: Answer) -> None:
    """Print what may keep a site from running the job, as ``submit`` does."""
    from admin.session.submit import submission_warnings

    for problem in submission_warnings(job):
        answer.warn(problem)


def note_differences(run_folder: Path, answer: Answer) -> None:
    """Print which sites had other software, and which missed rounds."""
    from admin.results.missed_rounds import missed_in
    from admin.results.run_results import software_differences

    for line in software_differences(run_folder):
        answer.warn(line)
    missed = missed_in(run_folder)
    answer.note(missed, missed=missed.splitlines())


def left_by_interrupt(job_id: str | None, options: argparse.Namespace) -> str:
    """Return what Ctrl-C leaves, with the command that picks the run up."""
    command = f"python -m admin run {options.job} --kit {options.kit} --out {options.out}"
    state = "no job of the run is followed" if job_id is None else f"job {job_id} goes on at the server"
    return f"{state}: {command} continues"
