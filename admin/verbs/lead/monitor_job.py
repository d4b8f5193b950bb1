"""Follow a job to its end. Ctrl-C ends the display; the job goes on.

  python -m admin monitor JOB_ID --kit KIT

With --format json it writes one JSON object a line while the job runs (docs/operating.md), and the envelope as the
last line.

At the end it shows which site missed which rounds, and why.

The exit code is 0 if the job completed, 1 if it failed, 2 if the server cannot be reached, 3 if --timeout was over,
4 if a person aborted it.
"""

from __future__ import annotations

import argparse
from typing import Any

from admin.verbs.answer import Answer
from admin.verbs.lead.submit_job import DAY, goes_on
from admin.verbs.verb_parser import existing_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``monitor``."""
    parser.add_argument("job_id", metavar="JOB_ID", help="printed by python -m admin submit")
    parser.add_argument(
        "--kit", type=existing_folder, required=True, help="startup kit of the lead or the project admin"
    )
    parser.add_argument("--timeout", type=float, default=DAY, help="seconds to wait (default: a day)")


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Follow the job, and print its final status."""
    answer.after_interrupt = goes_on(options.job_id, options.kit)
    from admin.results.missed_rounds import missed_so_far
    from admin.session.display.progress_display import ProgressDisplay
    from admin.session.display.progress_lines import ProgressLines
    from admin.session.ended_job import error_of, setback_or_none
    from admin.session.follow import monitor
    from admin.session.lasting_session import lasting_session

    answer.data |= {"job_id": options.job_id, "job_status": None}
    lines = ProgressLines(options.job_id, answer.live)
    with lasting_session(options.kit, say=answer.warn) as session, ProgressDisplay() as display:
        job_id, say = options.job_id, answer.warn

        def on_progress(progress: Any) -> None:
            display.show(progress)
            lines.show(progress)

        status = monitor(session, job_id, on_progress=on_progress, timeout=options.timeout, say=say)
        found = setback_or_none(session, job_id, status=status, last=display.last, say=say)
    answer.add(status, job_status=status)
    missed = missed_so_far(display.last.absences if display.last else {})
    answer.note(missed, missed=missed.splitlines())
    if found is not None:
        committed = display.last.current_round if display.last else None
        see = f"python -m admin download {job_id} --kit {options.kit} fetches its log"
        raise error_of(job_id, status, found, committed=committed, see=see)
