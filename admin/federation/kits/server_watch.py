"""Watches the sites from FLARE's server process: two machines with one kit, and sites without a part in a job.

It also tells which jobs this process has started: a job that it has not, but that is RUNNING, is of a former process.
``provision`` and the POC copy this file into ``local/custom`` of the server's kit. So it imports nothing of this
project.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nvflare.apis.event_type import EventType
from nvflare.apis.fl_component import FLComponent
from nvflare.apis.fl_constant import FLContextKey
from nvflare.apis.fl_context import FLContext
from nvflare.fuel.hci.proto import MetaStatusValue, make_meta
from nvflare.fuel.hci.reg import CommandModule, CommandModuleSpec, CommandSpec

# Commands of the console, and the keys of their answers.
COMMAND, ALARMS = "two_machines", "fedaid_two_machines"
STARTED_COMMAND, STARTED = "started_jobs", "fedaid_started_jobs"
FAILURES = "fedaid_site_failures"  # in the answer to the same command: job → site → FLARE's reason
SITE_FAILED = "fedaid_site_failed"  # an event of the guard in this kit
EVICTED = "Client ID already registered as a client: "  # how FLARE begins its answer to the machine that it dropped
ABSENT_FILE = "fedaid_absent.json"  # in the server's folder of a job
SURE = 2  # heartbeats of a dropped machine, at least APART seconds apart
APART, TOGETHER, OVER = 3.0, 60.0, 45.0  # seconds
KEPT_SECONDS = 86_400.0  # for which an alarm that is over is still shown
OK = "OK"
LATE = "it connected too late for this job, the job does not name it, or it lacks the resources that the job asks for"
AWAY = "it was not connected when the job started"
LONGEST = 500  # characters of a reason


@dataclass
class Alarm:
    """Two machines that used the kit of one site at the same time.

    Attributes:
        site: its name.
        since: ISO 8601 in UTC.
        until: the same; empty while both are alive.
    """

    site: str
    since: str
    until: str = ""

    def told(self) -> str:
        """Return the alarm as one line."""
        if self.until:
            return f"two machines used the startup kit of site {self.site} from {self.since} to {self.until}"
        return (
            f"two machines use the startup kit of site {self.site} since {self.since}: each disconnects the other. "
            f"End the copy; its address is in the line 'New client {self.site}@' of log.txt in the server's kit. If "
            f"nobody knows it, treat the kit as lost (docs/provisioned.md)"
        )


class TwoMachines:
    """Tells two machines with one kit from a restart: a machine that was dropped goes on sending heartbeats."""

    def __init__(self) -> None:
        self._heard: dict[str, list[float]] = {}  # site → first and last heartbeat of a dropped machine, their number
        self._alarms: dict[str, Alarm] = {}
        self._past: list[tuple[float, Alarm]] = []

    def dropped(self, site: str, now: float) -> Alarm | None:
        """Take the heartbeat of a machine that FLARE has dropped for another one; return an alarm that is new.

        Args:
            site: its name.
            now: seconds of a clock that only goes forward.
        """
        first, last, count = self._heard.get(site, [now, now, 0.0])
        if now - last > TOGETHER:
            first, count = now, 0.0
        if count == 0 or now - last >= APART:
            count, last = count + 1, now
        self._heard[site] = [first, last, count]
        if count < SURE or site in self._alarms:
            return None
        self._alarms[site] = Alarm(site, stamp(now - first))
        return self._alarms[site]

    def over(self, now: float) -> list[Alarm]:
        """Return the alarms that have ended: no dropped machine was heard for some time."""
        ended = [site for site in self._alarms if now - self._heard[site][1] > OVER]
        found = [self._alarms.pop(site) for site in ended]
        for alarm in found:
            alarm.until = stamp(now - self._heard.pop(alarm.site)[1])
        self._past = [(at, one) for at, one in self._past if now - at < KEPT_SECONDS]
        self._past += [(now, alarm) for alarm in found]
        return found

    @property
    def alarms(self) -> list[Alarm]:
        """The alarms of now, then those of the last day."""
        return [*self._alarms.values(), *(alarm for _, alarm in reversed(self._past))]


class WatchCommands(CommandModule):  # type: ignore[misc]
    """FLARE's console gets the commands of the watch; every person who may log in may give them."""

    def __init__(self, watch: ServerWatch) -> None:
        self._watch = watch

    def get_spec(self) -> CommandModuleSpec:
        """Return the commands."""
        known = (
            (COMMAND, "show sites whose startup kit two machines use", self.show_alarms),
            (STARTED_COMMAND, "show the jobs that this process of the server has started", self.show_started),
        )
        specs = [CommandSpec(name, does, usage=name, handler_func=show, visible=True) for name, does, show in known]
        return CommandModuleSpec(name="watch", cmd_specs=specs)

    def show_started(self, conn: Any, args: list[str]) -> None:
        """Answer with the ids of jobs, and the sites whose process of a job has failed."""
        jobs = sorted(self._watch.started)
        extra = {STARTED: jobs, FAILURES: self._watch.failures}
        conn.append_string("\n".join(jobs) or "no job", meta=make_meta(MetaStatusValue.OK, extra=extra))

    def show_alarms(self, conn: Any, args: list[str]) -> None:
        """Answer with the alarms."""
        alarms = self._watch.alarms()
        found = [{**asdict(alarm), "text": alarm.told()} for alarm in alarms]
        lines = "\n".join(alarm.told() for alarm in alarms) or "no site: each startup kit is used by one machine"
        conn.append_string(lines, meta=make_meta(MetaStatusValue.OK, extra={ALARMS: found}))


class ServerWatch(FLComponent):  # type: ignore[misc]
    """A component of the server's process; it has no effect in the processes of jobs.

    Args:
        sites: of the consortium, so that one that has never connected is missed.

    Attributes:
        started: ids of the jobs that this process has given to the sites.
        failures: job → site whose process has failed → FLARE's reason.
    """

    def __init__(self, sites: Iterable[str] = ()) -> None:
        super().__init__()
        self.sites = sorted(sites)
        self.started: set[str] = set()
        self.failures: dict[str, dict[str, str]] = {}
        self._seen, self._machines, self._offered = {*self.sites}, TwoMachines(), False
        self._lock = threading.Lock()

    def handle_event(self, event_type: str, fl_ctx: FLContext) -> None:
        """Watch heartbeats and the starts of jobs."""
        if event_type == EventType.CLIENT_REGISTER_PROCESSED:
            self._offer_command(fl_ctx.get_engine())
        elif event_type == EventType.CLIENT_HEARTBEAT_PROCESSED:
            self._note_heartbeat(str(fl_ctx.get_prop(FLContextKey.COMMUNICATION_ERROR) or ""))
        elif event_type == EventType.JOB_DEPLOYED:
            self.started.add(str(fl_ctx.get_prop(FLContextKey.JOB_RUN_NUMBER)))
            self._note_absent(fl_ctx)
        elif event_type == SITE_FAILED:
            found = fl_ctx.get_prop(FLContextKey.EVENT_DATA)
            self.failures.setdefault(found["job"], {})[found["site"]] = found["reason"]

    def alarms(self) -> list[Alarm]:
        """The alarms of now, then those of the last day."""
        with self._lock:
            self._say_over()
            return self._machines.alarms

    def _note_heartbeat(self, error: str) -> None:
        with self._lock:
            new = self._machines.dropped(error.removeprefix(EVICTED), time.monotonic()) if EVICTED in error else None
            if new:
                self.logger.error(f"ALARM: {new.told()}")
            self._say_over()

    def _say_over(self) -> None:
        for alarm in self._machines.over(time.monotonic()):
            self.logger.warning(f"ALARM is over: {alarm.told()}")

    def _offer_command(self, engine: Any) -> None:
        """Add the command to FLARE's console, once; FLARE makes its own commands before it builds components."""
        with self._lock:
            register = getattr(getattr(engine.server, "admin_server", None), "cmd_reg", None)
            if self._offered or register is None:
                return
            self._offered = True
            module = WatchCommands(self)
            register.register_module(module)
            for entry in register.scopes[module.get_spec().name].entries.values():
                register._add_cmd_entry(entry.name, entry)

    def _note_absent(self, fl_ctx: FLContext) -> None:
        """Write which sites have no part in a job, each with the reason; FLARE starts the job without a word."""
        engine = fl_ctx.get_engine()
        answers = answers_of(fl_ctx.get_prop(FLContextKey.JOB_DEPLOY_DETAIL) or ())
        connected = {str(client.name) for client in engine.get_clients()}
        self._seen |= connected
        due = (self._seen | answers.keys()) - engine.client_manager.disabled_clients
        reasons = {site: answers.get(site, LATE if site in connected else AWAY) for site in sorted(due)}
        absent = {site: reason for site, reason in reasons.items() if reason != OK}
        job_id = str(fl_ctx.get_prop(FLContextKey.JOB_RUN_NUMBER))
        for site, reason in absent.items():
            self.logger.warning(f"job {job_id} starts without site {site}: {reason}")
        file = Path(engine.get_workspace().get_run_dir(job_id)) / ABSENT_FILE
        try:
            file.write_text(json.dumps(absent), encoding="utf-8")
        except OSError as error:  # the job must start
            self.logger.error(f"cannot write {file}: {error.strerror}")


def answers_of(details: Iterable[str]) -> dict[str, str]:
    """Return what each site answered when the server gave it the job; ``OK`` means that it took the job."""
    parts = [str(detail).partition(": ") for detail in details]
    said = {name: printable(text).rstrip(".")[:LONGEST] for name, colon, text in parts if colon}
    return {name: text for name, text in said.items() if name not in ("server", "invalid_clients")}


def printable(text: str) -> str:
    """Return a site's text in one line, without what would control a terminal."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def stamp(ago: float) -> str:
    """Return the time some seconds ago as ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(time.time() - ago, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
