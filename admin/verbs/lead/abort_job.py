"""Abort a job, or the jobs of a run that are alive, and wait for the end.

  python -m admin abort JOB_ID --kit KIT
  python -m admin abort RUN --kit KIT
  python -m admin abort --kit KIT         the only job that is alive

The run store stays as it is. Whoever follows the job, with run, submit or monitor, is told that it was aborted, and
ends with exit code 4. To continue the run, submit the job again with submit or run.

The exit code is 0 if every job was aborted, 1 if no such job is alive or one had ended before, 2 if the server cannot
be reached, 3 if a job has not ended after --timeout.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict

from admin.verbs.answer import Answer
from admin.verbs.verb_parser import existing_folder

SECONDS = 120.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``abort``."""
    parser.add_argument("name", nargs="?", metavar="RUN|JOB_ID", help="a run or a job, as python -m admin status shows")
    parser.add_argument(
        "--kit", type=existing_folder, required=True, help="startup kit of the lead or the project admin"
    )
    parser.add_argument(
        "--timeout", type=float, default=SECONDS, help="seconds to wait for the end (default: %(default)s)"
    )


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Abort the jobs, and print each when it has ended."""
    answer.after_interrupt = f"a job may be aborted: python -m admin status --kit {options.kit} shows it"
    from admin.session.ending.aborted_jobs import abort_jobs
    from admin.session.follow import ABORTED
    from admin.session.login import admin_session

    shown: list[dict[str, object]] = []
    answer.data |= {"jobs": shown}
    late = []
    with admin_session(options.kit) as session:
        for job in abort_jobs(session, options.name, timeout=options.timeout, say=answer.warn):
            shown.append(asdict(job))
            if job.status == ABORTED:
                answer.add(job.told())
            else:
                late.append(job.told())
    if late:
        raise RuntimeError("; ".join(late))
