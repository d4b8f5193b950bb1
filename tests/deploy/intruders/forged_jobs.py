"""Jobs that somebody with the right to submit has forged: unsigned, changed after signing, signed by another."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager as Forgery
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from nvflare.fuel.hci.client import file_transfer
from nvflare.lighter.utils import load_private_key_file, sign_folders

from admin.jobs.package import package_job
from admin.session.ended_job import ended_job
from admin.session.follow import COMPLETED, monitor
from admin.session.login import admin_session
from admin.session.submit import send
from tests.deploy.intruders.intruder import Ground, Intruder, Refusal
from tests.integration.conftest import CONTROL, MODEL, TRAINING

LEAD = "lead@consortium.org"
JOB_SECONDS = 300.0
SITE_CONFIG = Path("app/config/config_fed_client.json")
Change = Callable[[Path], None]
"""Changes a job folder."""


def forged_jobs() -> list[Intruder]:
    """Jobs that are refused whatever the kits say about code."""
    member = partial(signed_by, person="member@hospital-lake.org")
    path, unstarted = "../../../startup/x.py", "could not start the job"
    signature = "does not pass signature verification|job signature verification failed"
    jobs: list[tuple[str, Callable[[Ground], Forgery[Any]], str, str]] = [
        ("unsigned job", lambda _: signed_with(lambda *_: None), "unsigned job rejected", "unsigned job rejected"),
        ("setting changed after signing", lambda _: signed_with(after(change_setting)), signature, signature),
        ("code changed after signing", lambda _: signed_with(after(change_code)), signature, signature),
        ("file added after signing", lambda _: signed_with(after(add_file)), signature, signature),
        ("job that a member signed", member, "BYOC not permitted", "BYOC not permitted"),
        ("path out of the job's folder", lambda _: zipped_with(path), unstarted, "unsafe .* in zip entry"),
    ]
    return [
        Intruder(name=name, attempt=partial(submitted, forgery=forgery), hears=hears, logged=logged)
        for name, forgery, hears, logged in jobs
    ]


def submitted(
    ground: Ground,
    *,
    forgery: Callable[[Ground], Forgery[Any]] = lambda _: nullcontext(),
    change: Change = lambda _: None,
    code: bool = True,
    person: str = LEAD,
) -> Refusal:
    """Submit a job as a person, and tell whether it completed; what is heard is what our commands tell the lead."""
    shutil.rmtree(ground.folder / "jobs", ignore_errors=True)
    settings = MODEL | TRAINING | CONTROL | {"min_clients": 3}
    job = package_job("fedaid_pretrain", out=ground.folder / "jobs", settings=settings, code=code)
    change(job)
    with admin_session(ground.kits / person) as session:
        try:
            with forgery(ground):
                job_id = send(session, job)
        except Exception as error:  # of any kind: FLARE's client has many
            return Refusal(refused=True, heard=f"{type(error).__name__}: {error}")
        status = monitor(session, job_id, on_progress=lambda _: None, timeout=JOB_SECONDS)
        out = ground.folder / "out"
        ended = ended_job(session, job_id, status=status, committed=None, rounds=2, out=out, say=lambda _: None)
    return Refusal(refused=status != COMPLETED, heard=f"{status}: {ended.reason}")


def signed_with(sign: Callable[..., None]) -> Forgery[Any]:
    """Replace the function of FLARE's client that signs a job folder."""
    return patch.object(file_transfer, "sign_folders", sign)


def after(change: Change) -> Callable[..., None]:
    """Sign a job folder, then change it."""

    def sign(folder: str, *given: Any, **more: Any) -> None:
        sign_folders(folder, *given, **more)
        change(Path(folder))

    return sign


def change_setting(job: Path) -> None:
    """Let a site train with another learning rate."""
    file = job / SITE_CONFIG
    file.write_text(file.read_text() + "\n")


def change_code(job: Path) -> None:
    """Change the code that a site runs."""
    file = job / "app" / "custom" / "fedaid" / "version.py"
    file.write_text(file.read_text() + "\n")


def add_file(job: Path) -> None:
    """Add a module."""
    (job / "app" / "custom" / "added.py").write_text("")


@contextmanager
def signed_by(ground: Ground, *, person: str) -> Iterator[None]:
    """Sign a job with another person's key and certificate."""
    startup = ground.kits / person / "startup"
    key = load_private_key_file(str(startup / "client.key"))

    def sign(folder: str, *_: Any, **__: Any) -> None:
        sign_folders(folder, key, str(startup / "client.crt"))

    with signed_with(sign):
        yield


def zipped_with(name: str) -> Forgery[Any]:
    """Add a member with any name to the zip of a job."""
    write = file_transfer.zip_directory_to_file

    def forged(root: str, folder: str, out: str) -> None:
        write(root, folder, out)
        with zipfile.ZipFile(out, "a") as job:
            job.writestr(f"{Path(folder).name}/{name}", "print('x')")

    return patch.object(file_transfer, "zip_directory_to_file", forged)
