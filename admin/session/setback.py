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

EXCEPTION = "FINISHED:EXECUTION_EXCEPTION"
MEANING = {
    "FINISHED:ABNORMAL": "its process at the server was killed, or the server was restarted",
    "FINISHED:ABANDONED": "the server was restarted",
    EXCEPTION: "a process of the job ended with an error",
    "FINISHED:CAN_NOT_SCHEDULE": "too few sites could take the job",
    "FINISHED:FAILED_TO_RUN": "the sites could not start the job",
}
# as the log of FLARE's server words it
REPORTED = re.compile(r"Failing job \S+ due to reported failure from ([\w.-]+): ([^\n]+)")


def reason_of(session: Session, job_id: str, *, status: str, log: Path) -> str:
    """Return why a job ended: our own message, else the site that reported a failure, else FLARE's status in words.

    Args:
        session: a session that is logged in.
        job_id: of the job.
        status: final status of the job.
        log: the job's log in its download; it need not exist.
    """
    return failure_reason(log) or process_that_ended(session, job_id, status) or MEANING.get(status, status)


def process_that_ended(session: Session, job_id: str, status: str) -> str:
    """Return which process of the job ended, by the log of FLARE's server; empty if the log does not tell.

    A site reports that its process ended. If none did, it was the server's.
    """
    with suppress(Exception):  # the server may refuse this command to the lead
        lines = str(session.grep_target("server", None, job_id, "log.txt"))
        found = REPORTED.search(lines)
        if found:
            return f"the process of site {found[1].partition('.')[0]} ended: {found[2].strip()}"
        if status == EXCEPTION and job_id in lines:
            return "its process at the server was killed or failed"
    return ""


def is_whole(run_folder: Path, *, rounds: int) -> bool:
    """Whether a downloaded run folder has the results and the undamaged model of a run with so many rounds."""
    try:
        results = read_results(run_folder)
        require_whole(results.model)
    except (InputError, OSError, ValueError, KeyError, TypeError):
        return False
    return results.rounds >= rounds and (run_folder / STORE).is_dir()
