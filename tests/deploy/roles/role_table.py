"""The series: each cell of role × command, in one running federation, with the kit of each person."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import yaml
from nvflare.fuel.flare_api.flare_api import Session

from admin.federation.provision import ProvisionedFederation
from admin.jobs.package import package_job
from admin.session.login import admin_session
from admin.session.submit import send
from tests.deploy.deployed import Deployed
from tests.deploy.intruders.intruders import PROJECT, data_roots
from tests.deploy.roles.cells import (
    EVERYBODY,
    LEAD,
    ON_JOBS,
    OTHER,
    STOPPING,
    SUBMIT,
    Cell,
    forbidden,
    forbidden_stops,
    looking,
)
from tests.integration.conftest import CONTROL, MODEL, TRAINING

DENIED = ("not authorized", "not_authorized")
RUNNING_SECONDS, ENDED_SECONDS = 120.0, 300.0
BUSY = "jobs still running"  # FLARE's answer to a stop, before it looks at rights, until a job's process has gone


class Table:
    """Gives the commands and compares the answers with the cells.

    Args:
        sessions: person → logged in.
        job: a packaged job that each submits.
    """

    def __init__(self, sessions: dict[str, Session], job: Path) -> None:
        self.sessions, self.package = sessions, job
        self.job = self.copy = ""
        self.tried, self.wrong = 0, list[str]()

    def compare(self, cells: Iterable[Cell]) -> None:
        """Give the command of each cell, in this order."""
        for cell in cells:
            said = self.answer(cell)
            denied = any(word in said.lower() for word in DENIED)
            self.tried += 1
            if denied == cell.allowed:
                should = "may" if cell.allowed else "may not"
                self.wrong.append(f"{cell.person} {should} {cell.command}, but heard: {said[:200]}")

    def answer(self, cell: Cell) -> str:
        """Return what the server answers; a job that a cell makes is remembered as COPY."""
        session, command = self.sessions[cell.person], cell.command
        try:
            if command == SUBMIT:
                self.copy = send(session, self.package)
                return self.copy
            if command == "clone_job JOB":
                self.copy = str(session.clone_job(self.job))
                return self.copy
            if command == "download_job JOB":
                return str(session.download_job_result(self.job, str(self.package.parent)))
            said: Any = execute(session, command.replace("JOB", self.job).replace("COPY", self.copy))
        except Exception as error:  # of any kind: FLARE's client has many
            return f"{type(error).__name__}: {error}"
        return str(said)


def execute(session: Session, command: str) -> Any:
    """Give a command, again while the process of an ended job is still there."""
    deadline = time.monotonic() + ENDED_SECONDS
    while BUSY in str(said := session.api.server_execute(command)) and time.monotonic() < deadline:
        time.sleep(1.0)
    return said


def roles(folder: Path) -> Deployed:
    """Compare all cells; those that stop something come last."""
    job = package_job("fedaid_pretrain", out=folder / "jobs", settings=MODEL | TRAINING | CONTROL | {"min_clients": 3})
    project = with_second_lead(folder / "project.yml")
    roots = data_roots(folder / "hospitals")
    with ProvisionedFederation(folder / "federation", project, data_roots=roots) as federation, ExitStack() as leave:
        kits = federation.record.kits
        sessions = {person: leave.enter_context(admin_session(kits / person)) for person in EVERYBODY}
        table = Table(sessions, job)
        table.job = send(sessions[LEAD], job)
        wait(sessions[LEAD], table.job, ("RUNNING",), seconds=RUNNING_SECONDS)
        table.compare(looking())
        table.compare(forbidden())
        wait(sessions[LEAD], table.job, ("FINISHED",), seconds=ENDED_SECONDS)
        table.compare(ON_JOBS)
        end_jobs(sessions)
        table.compare(forbidden_stops())
        table.compare(STOPPING)
    return Deployed(
        place="provisioned, TLS",
        roles_right=table.tried - len(table.wrong),
        roles_cells=table.tried,
        failures=tuple(table.wrong),
    )


def with_second_lead(file: Path) -> Path:
    """Write the project with one more lead, to tell the own job from another's."""
    content = yaml.safe_load(PROJECT.read_text(encoding="utf-8"))
    second = {"name": OTHER, "type": "admin", "org": "study_office", "role": "lead"}
    content["participants"].append(second)
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return file


def wait(session: Session, job: str, states: tuple[str, ...], *, seconds: float) -> None:
    """Wait until a job is in one of the states, or later ones.

    Raises:
        TimeoutError: it is not.
    """
    deadline = time.monotonic() + seconds
    while not (status := str(session.get_job_status(job))).startswith((*states, "FINISHED")):
        if time.monotonic() > deadline:
            raise TimeoutError(f"job {job} is {status}")
        time.sleep(0.5)


def end_jobs(sessions: dict[str, Session]) -> None:
    """Abort what still runs or waits: FLARE refuses to stop anything before that."""
    admin = sessions["admin@consortium.org"]
    for job in admin.list_jobs():
        if not str(job["status"]).startswith("FINISHED"):
            admin.abort_job(job["job_id"])
            wait(admin, job["job_id"], ("FINISHED",), seconds=ENDED_SECONDS)
