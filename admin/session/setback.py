"""Why a job of a run ended early, at which site, and whether another job could do better."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nvflare.fuel.flare_api.flare_api import Session

from admin.results.failure import build_failure, failure_reason
from admin.results.run_results import STORE, read_results
from admin.session.follow import ABORTED
from admin.session.job_process import failed_sites
from fedaid.errors import InputError
from fedaid.flare.store.stop_note import LASTING, NOT_YET, read_stop
from fedaid.sealed_folder import require_whole

EXCEPTION, FAILED_TO_RUN = "FINISHED:EXECUTION_EXCEPTION", "FINISHED:FAILED_TO_RUN"
MEANING = {
    "FINISHED:ABNORMAL": "one of its processes was killed or could not start, or the server was restarted",
    "FINISHED:ABANDONED": "the server was restarted",
    EXCEPTION: "one of its processes was killed, or ended with an error; log.txt in the server's kit names it",
    "FINISHED:CAN_NOT_SCHEDULE": "too few sites could take the job",
    FAILED_TO_RUN: "the sites could not start the job",
}
# as the log of FLARE's server words it
REPORTED = re.compile(r"(?:Failing|Aborting) job \S+ due to reported failure from ([\w.-]+): ([^\n]+)")
EXITED = "child process exit with return code"  # absent if the controller stopped the job
KILLED = "its process at the server was killed or failed"
STOPPED = "its controller stopped it; its download, made by python -m admin download, has the reason"
STOPPED_BY_ORDER = "Stop the job run: "  # an order of a person, or a class that a site refuses
BY_A_PERSON = "a person aborted it"
SILENT = ": no reply"  # after a site's name, in FLARE's list of what the machines answered to a job
ENDED_BY_ORDER = "aborted"  # FLARE's reason of a site whose process was told to end
COULD_NOT_START, UNSAFE = "infrastructure error", "unsafe component"
AT_SITE = {  # FLARE's closed list → in words, and whether a person must act first
    "exception": ("the process of site {site} was killed, or ended with an error", False),
    COULD_NOT_START: ("the process of site {site} could not start; log.txt in its kit has the error", False),
    "config error": ("site {site} cannot build the job; log.txt in its kit names the component", True),
    UNSAFE: ("site {site} refuses a class of the job; log.txt in its kit names it", True),
}


@dataclass(frozen=True)
class Setback:
    """Why a job ended early.

    Attributes:
        text: the reason, with the site, in one line.
        lasting: whether another job would end in the same way until a person changes something.
        starting: whether a site's process could not start; if that happens again, it is lasting.
        away: sites that are missed.
        on_purpose: whether a person aborted the job.
    """

    text: str
    lasting: bool = False
    starting: bool = False
    away: tuple[str, ...] = ()
    on_purpose: bool = False


def setback_of(session: Session, job_id: str, *, status: str, folder: Path) -> Setback:
    """Return why a job ended early.

    What the controller noted comes first, then the job's log, then what the server knows of the job's processes. A job
    that was aborted may have earlier errors in its log, so only the server knows why.

    Args:
        session: a session that is logged in.
        job_id: of the job.
        status: final status of the job.
        folder: ``workspace`` of its download; it need not exist.
    """
    if status == ABORTED:
        return aborted(session, job_id)
    return (
        noted(folder / "app_server")
        or logged(folder / "log.txt")
        or not_deployed(session, job_id, status)
        or process_that_ended(session, job_id, status)
        or Setback(MEANING.get(status, status))
    )


def aborted(session: Session, job_id: str) -> Setback:
    """Return why a job was aborted: a person did it unless a site refuses a class, or its process has ended."""
    for site, reason in sorted(failed_sites(session, job_id).items()):
        if reason == UNSAFE:
            return reported(site, reason)
    return process_that_ended(session, job_id, ABORTED) or Setback(BY_A_PERSON, on_purpose=True)


def noted(app: Path) -> Setback | None:
    """Return what the controller noted when it stopped the job; None if it did not stop it."""
    note = read_stop(app)
    if note is None:
        return None
    away = tuple(sorted(note.sites)) if note.code == NOT_YET else ()
    return Setback(one_line(note.text), lasting=note.code in LASTING, away=away)


def logged(log: Path) -> Setback | None:
    """Return why the server could not build the job, or the first error that stopped it; None if the log has none."""
    unbuilt = build_failure(log)
    if unbuilt:
        return Setback(f"the server cannot build the job: {one_line(unbuilt)}", lasting=True)
    reason = failure_reason(log)
    return Setback(one_line(reason)) if reason else None


def not_deployed(session: Session, job_id: str, status: str) -> Setback | None:
    """Return which machine did not take the job, and why; None if the server does not tell."""
    if status != FAILED_TO_RUN:
        return None
    with suppress(Exception):  # the status is known without it
        details = [str(detail) for detail in session.get_job_meta(job_id).get("job_deploy_detail") or ()]
        refusals = [detail for detail in details if is_refusal(detail)]
        if refusals:
            return Setback(f"the job was not taken by {one_line('; '.join(refusals))}", lasting=True)
        silent = [detail.partition(": ")[0] for detail in details if SILENT in detail]
        if silent:
            return Setback(f"site {', '.join(silent)} did not answer in time when the server gave it the job")
    return None


def is_refusal(detail: str) -> bool:
    """Whether a line of FLARE's deployment names a machine that refused the job; silence is none."""
    name, colon, said = detail.partition(": ")
    return bool(colon) and name != "invalid_clients" and said != "OK" and not detail.startswith(f"{name}{SILENT}")


def process_that_ended(session: Session, job_id: str, status: str) -> Setback | None:
    """Return which process of the job ended, by the log of FLARE's server; None if the log does not tell.

    A site reports that its process ended. If none did, it was the server's, or the controller stopped the job.
    """
    with suppress(Exception):  # the server may refuse this command to the lead
        lines = str(session.grep_target("server", None, job_id, "log.txt"))
        found = REPORTED.search(lines)
        if found and found[2].strip() == ENDED_BY_ORDER and STOPPED_BY_ORDER in lines:
            return None  # each site reports that it has obeyed
        if found:
            return reported(found[1].rpartition(".")[2], found[2].strip())  # a relay is named before its site
        if status == EXCEPTION and job_id in lines:
            return Setback(KILLED if EXITED in lines else STOPPED)
        return None
    failed = sorted(failed_sites(session, job_id).items())
    return reported(*failed[0]) if failed and status != ABORTED else None


def reported(site: str, reason: str) -> Setback:
    """Return what a site's report of FLARE's closed list means."""
    words, lasting = AT_SITE.get(reason, (f"the process of site {{site}} ended: {reason}", False))
    return Setback(words.format(site=site), lasting=lasting, starting=reason == COULD_NOT_START)


def server_log(session: Session, job_id: str) -> list[str]:
    """Return the lines of the server's log of a job; none if the server does not give it."""
    with suppress(Exception):  # the status is known without it
        return str(session.get_job_logs(job_id)["logs"]["server"]).splitlines()
    return []


def one_line(text: str) -> str:
    """Return a reason as one line without a full stop."""
    return " ".join(text.split()).rstrip(".")


def is_whole(run_folder: Path, *, rounds: int) -> bool:
    """Whether a downloaded run folder has the results and the undamaged model of a run with so many rounds."""
    try:
        results = read_results(run_folder)
        require_whole(results.model)
    except (InputError, OSError, ValueError, KeyError, TypeError):
        return False
    return results.rounds >= rounds and (run_folder / STORE).is_dir()
