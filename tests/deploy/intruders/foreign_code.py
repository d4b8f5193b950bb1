"""Jobs that bring code or name unlisted classes to kits which refuse code, and a site whose code was changed."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

from tests.deploy.intruders.forged_jobs import SITE_CONFIG, submitted
from tests.deploy.intruders.intruder import Ground, Intruder, Refusal

UNLISTED = {"path": "fedaid.flare.store.run_lock.RunLock", "args": {"folder": "x", "job_id": "y"}}
STOCK = {"path": "nvflare.app_common.filters.exclude_vars.ExcludeVars", "args": {}}
SERVER_CONFIG = SITE_CONFIG.with_name("config_fed_server.json")
AT_SITES = "FINISHED:(?!COMPLETED).*site hospital-[a-z]+ (?:could not start|refuses a class)"  # its log names the class
AT_SERVER = "FINISHED:(?!COMPLETED).*fedaid[.]flare[.]store[.]run_lock[.]RunLock"
ADMIN = "admin@consortium.org"


def foreign_code() -> list[Intruder]:
    """Everything that kits of ``provision --no-byoc`` must refuse."""
    code, byoc = "not authorized|byoc|BYOC", "not authorized|byoc|BYOC"
    logged = "this machine refuses a class of the job: .* is not in allow_list"
    at_site, at_server = (AT_SITES, logged), (AT_SERVER, "")
    changes: list[tuple[str, Any, tuple[str, str]]] = [
        ("unlisted class at the site", partial(with_component, file=SITE_CONFIG), at_site),
        ("unlisted class at the server", partial(with_component, file=SERVER_CONFIG), at_server),
        ("unlisted class in the arguments of a listed one", nested, at_site),
        ("unlisted class in a filter", filtered, at_site),
        ("unlisted class as executor", executed, at_site),
    ]
    return [
        Intruder(name="job with code, by the lead", attempt=partial(submitted, code=True), hears=code, logged=byoc),
        Intruder(
            name="job with code, by the project's admin",
            attempt=partial(submitted, code=True, person=ADMIN),
            hears=code,
            logged=byoc,
        ),
        *(
            Intruder(name=name, attempt=partial(submitted, code=False, change=change), hears=hears, logged=logged)
            for name, change, (hears, logged) in changes
        ),
        Intruder(
            name="changed wheel at one site",
            attempt=changed_wheel,
            hears="code at hospital-south must be the server's",
        ),
    ]


def edited(job: Path, file: Path) -> tuple[Path, dict[str, Any]]:
    """The path and content of a configuration of a job."""
    path = job / file
    content: dict[str, Any] = json.loads(path.read_text())
    return path, content


def with_component(job: Path, *, file: Path) -> None:
    """Add a component of an unlisted class."""
    path, content = edited(job, file)
    content["components"].append({"id": "other", **UNLISTED})
    path.write_text(json.dumps(content))


def nested(job: Path) -> None:
    """Give a listed class an argument that FLARE builds, of an unlisted class."""
    path, content = edited(job, SITE_CONFIG)
    content["executors"][0]["executor"].setdefault("args", {})["other"] = UNLISTED
    path.write_text(json.dumps(content))


def filtered(job: Path) -> None:
    """Put an unlisted filter before ours."""
    path, content = edited(job, SITE_CONFIG)
    content["task_result_filters"][0]["filters"].insert(0, STOCK)
    path.write_text(json.dumps(content))


def executed(job: Path) -> None:
    """Replace an executor."""
    path, content = edited(job, SITE_CONFIG)
    content["executors"][0]["executor"] = {
        "path": "nvflare.app_common.executors.error_trainer.ErrorTrainer",
        "args": {},
    }
    path.write_text(json.dumps(content))


def changed_wheel(ground: Ground) -> Refusal:
    """Change the installed code of one site, submit a sound job, and put the code back."""
    file = ground.kits / "hospital-south" / "local" / "custom" / "fedaid" / "version.py"
    text = file.read_text()
    file.write_text(text + "\n")
    try:
        return submitted(ground, code=False)
    finally:
        file.write_text(text)
