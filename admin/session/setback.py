"""Why a job of a run ended early, and at which site, in one line."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from nvflare.fuel.flare_api.flare_api import Session

from admin.results.failure import failure_reason
from admin.results.run_results import STORE, read_results
from fedaid.errors import InputError
from fedaid.sealed_folder import require_whole

MEANING = {
    "FINISHED:ABNORMAL": "its process at the server was killed, or the server was restarted",
    "FINISHED:ABANDONED": "the server was restarted",
    "FINISHED:EXECUTION_EXCEPTION": "a process of the job ended with an error",
    "FINISHED:CAN_NOT_SCHEDULE": "too few sites could take the job",
    "FINISHED:FAILED_TO_RUN": "the sites could not start the job",
}
REPORTED = re.compile(r"due to reported failure from ([\w.-]+): ([^\n]+)")  # in the log of FLARE's server


def reason_of(session: Session, job_id: str, *, status: str, log: Path) -> str:
    """Return why a job ended: our own message, else the site that reported a failure, else FLARE's status in words.

    Args:
        session: a session that is logged in.
        job_id: of the job.
        status: final status of the job.
        log: the job's log in its download; it need not exist.
    """
    return failure_reason(log) or reported_failure(session, job_id) or MEANING.get(status, status)


def reported_failure(session: Session, job_id: str) -> str:
    """Return which site's process of the job ended; empty if no site reported it, or the log cannot be read."""
    with suppress(Exception):  # the server may refuse this command to the lead
        found = REPORTED.search(session.grep_target("server", None, f"Failing.job.{job_id}", "log.txt"))
        if found:
            return f"the process of site {found[1].partition('.')[0]} ended: {found[2].strip()}"
    return ""


def is_whole(run_folder: Path, *, rounds: int) -> bool:
    """Whether a downloaded run folder has the results and the undamaged model of a run with so many rounds."""
    try:
        results = read_results(run_folder)
        require_whole(results.model)
    except (InputError, OSError, ValueError, KeyError, TypeError):
        return False
    return results.rounds >= rounds and (run_folder / STORE).is_dir()
