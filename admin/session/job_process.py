"""What the server tells of a running job's processes, without a question that the job cannot answer yet."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from nvflare.fuel.flare_api.api_spec import JobNotRunning, TargetType
from nvflare.fuel.flare_api.flare_api import Session

from admin.session.job_progress import Progress, read_progress
from admin.session.login import REFUSED
from fedaid.flare.wire.replies import printable

ASK_ANYWAY = 120.0  # seconds without an answer of a site, after which the controller is asked all the same
TAKEN, NO_SITES = "OK", ("server", "invalid_clients")  # in FLARE's list of what the machines answered to a job
UNNAMED = "the job does not name it"
LATE = "it connected, or answered, too late: the server had given the job to the other sites"
LATE_OR_POOR = "it connected too late, or lacks the resources that the job asks for"
EVERY = "@ALL"  # every site, in a job's deploy_map
IDLE = "no_jobs"  # FLARE's status of a site without a job
# Commands of our components in the server's kit, and the keys of their answers.
COMMAND, ALARMS = "two_machines", "fedaid_two_machines"
STARTED_COMMAND, STARTED = "started_jobs", "fedaid_started_jobs"
FAILURES = "fedaid_site_failures"  # in the answer to the same command
EXPECTED_COMMAND, DIFFERENCES, UNEXPECTED = "expected_sites", "fedaid_expected_sites", "unexpected"
AT_SITE = "ClientRunner"  # FLARE's group in the answer of a site whose process has found the controller


class ControllerStats:
    """Asks a job's controller for its progress, once the job has started.

    The server's process of a job takes some seconds to load the code. Until then FLARE answers ``show_stats`` with a
    traceback in the job's log. A site's process answers that question with nothing until it has found the controller.
    So the sites are asked first.

    Args:
        session: a session that is logged in.
        job_id: of the job.
    """

    def __init__(self, session: Session, job_id: str) -> None:
        self.session, self.job_id = session, job_id
        self._started = False
        self._asked_since: float | None = None

    def progress(self) -> Progress | None:
        """Return the job's progress; None while it starts and ends.

        Raises:
            JobNotRunning: the server has no process of the job.
            Exception: what else FLARE answers while a job starts and ends.
        """
        if not self._started:
            self._started = self._site_answers() or self._waited_long()
        return read_progress(self.session.show_stats(self.job_id, TargetType.SERVER)) if self._started else None

    def _site_answers(self) -> bool:
        """Whether the process of a site has found the controller."""
        try:
            answers = self.session.show_stats(self.job_id, TargetType.CLIENT)
        except JobNotRunning:
            raise
        except Exception:  # no site is connected, or the lead may not ask
            return False
        stats = answers.values() if isinstance(answers, dict) else ()
        return any(isinstance(groups, dict) and AT_SITE in groups for groups in stats)

    def _waited_long(self) -> bool:
        """Whether no site has answered for so long that it may not want to: a site can forbid the question."""
        if self._asked_since is None:
            self._asked_since = time.monotonic()
        return time.monotonic() - self._asked_since >= ASK_ANYWAY


def server_restarted(session: Session, job_id: str) -> bool | None:
    """Whether a former process of the server gave this job to the sites: FLARE does not continue such a job.

    The server's process tells which jobs it has started. One without our watch does not; then two times of the
    server's clock are compared, which is wrong if that clock was set between them.

    Args:
        session: a session that is logged in.
        job_id: of a job that is under way.

    Returns:
        None if the server does not tell.
    """
    with suppress(TypeError, AttributeError, KeyError, *REFUSED, RuntimeError):
        return job_id not in session._do_command(STARTED_COMMAND)["meta"][STARTED]
    with suppress(TypeError, ValueError, AttributeError, KeyError, *REFUSED):
        scheduled = float(session.get_job_meta(job_id)["last_schedule_time"])
        return scheduled < float(session.get_system_info().server_info.start_time)
    return None


def site_states(session: Session, job_id: str) -> tuple[set[str], set[str]]:
    """Return the sites that work on the job, and those that are connected but do not.

    A site that does not answer is in neither set.
    """
    with suppress(*REFUSED, RuntimeError):
        entries = session.get_client_job_status() or []
        working = {name_of(entry) for entry in entries if entry.get("job_id") == job_id}
        return working, {name_of(entry) for entry in entries if entry.get("status") == IDLE} - working
    return set(), set()


def sites_without_part(session: Session, job_id: str) -> dict[str, str]:
    """Return the connected sites that have no part in a running job, each with the reason.

    FLARE starts a job with the sites that took it, if they are as many as ``min_clients``, and says nothing about the
    others.

    Args:
        session: a session that is logged in.
        job_id: of the job.
    """
    with suppress(Exception):  # the job goes on, and its results name the sites that worked
        answers = deployment(session, job_id)
        connected = {str(client.name) for client in session.get_connected_client_list()}
        meta = session.get_job_meta(job_id)
        left = sorted(connected - answers.keys()) if answers else ()
        return refusals(answers) | {site: why_not_asked(site, meta) for site in left}
    return {}


def why_not_asked(site: str, meta: Mapping[str, Any]) -> str:
    """Return why the server did not give a job to a site that is connected.

    Args:
        site: its name.
        meta: of the job.
    """
    deploy, resources = meta.get("deploy_map"), meta.get("resource_spec")
    named = {str(one).upper() for sites in deploy.values() for one in sites} if isinstance(deploy, dict) else {EVERY}
    if not named & {site.upper(), EVERY}:
        return UNNAMED
    return LATE_OR_POOR if isinstance(resources, dict) and resources.get(site) else LATE


def two_machines(session: Session) -> dict[str, str]:
    """Return site → alarm for each site whose startup kit two machines use now, or used in the last day.

    Args:
        session: a session that is logged in.

    Returns:
        Nothing if the server's kit has no watch.
    """
    with suppress(TypeError, AttributeError, KeyError, *REFUSED, RuntimeError):
        found = session._do_command(COMMAND)["meta"][ALARMS]
        return {
            str(alarm["site"]): str(alarm["text"]) for alarm in reversed(found)
        }  # the first of a site is the newest
    return {}


def unlike_the_project(session: Session) -> list[dict[str, str]]:
    """Return how the connected sites differ from the project file: ``site``, ``kind``, ``text``.

    Args:
        session: a session that is logged in.

    Returns:
        ``kind`` is ``unexpected`` or ``missing``. Nothing if the server's kit does not compare them.
    """
    with suppress(TypeError, AttributeError, KeyError, *REFUSED, RuntimeError):
        found = session._do_command(EXPECTED_COMMAND)["meta"][DIFFERENCES]
        return [{name: str(one[name]) for name in ("site", "kind", "text")} for one in found]
    return []


def failed_sites(session: Session, job_id: str) -> dict[str, str]:
    """Return site → FLARE's reason for each site whose process of a job has failed.

    Args:
        session: a session that is logged in.
        job_id: of the job.

    Returns:
        Nothing if the server's kit has no watch, or if the server was restarted since.
    """
    with suppress(TypeError, AttributeError, KeyError, *REFUSED, RuntimeError):
        found = session._do_command(STARTED_COMMAND)["meta"][FAILURES].get(job_id, {})
        return {str(site): str(reason) for site, reason in found.items()}
    return {}


def refused_by(session: Session, job_id: str) -> dict[str, str]:
    """Return the sites that did not take a job, which may have ended, and why; empty if FLARE does not tell."""
    with suppress(Exception):  # the state of the run is known without it
        return refusals(deployment(session, job_id))
    return {}


def refusals(answers: Mapping[str, str]) -> dict[str, str]:
    """Return the answers of the sites that did not take a job."""
    return {site: said for site, said in answers.items() if said != TAKEN}


def deployment(session: Session, job_id: str) -> dict[str, str]:
    """Return what each site answered when the server gave it the job; ``OK`` means that it took the job."""
    details = session.get_job_meta(job_id).get("job_deploy_detail") or ()
    parts = [str(detail).partition(": ") for detail in details]
    return {
        name: " ".join(printable(said).split()).rstrip(".")
        for name, colon, said in parts
        if colon and name not in NO_SITES
    }


def name_of(entry: Any) -> str:
    """Return the site of an entry of ``Session.get_client_job_status``."""
    return str(entry.get("client_name"))
