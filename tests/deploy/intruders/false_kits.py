"""Startup kits with a wrong certificate, used as their owner would: the kit itself says why it is refused."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

from admin.federation.kit_process import kit_environment
from admin.federation.kits.signed_files import SIGNATURES
from admin.session.login import admin_session
from tests.deploy.intruders.intruder import Ground, Intruder, Refusal
from tests.deploy.intruders.strangers import MADE, SITE, Maker, write_chain

START_SECONDS = 60.0
OTHER = "hospital-lake"


def false_kits() -> list[Intruder]:
    """Kits of a site and of the lead whose certificate or key cannot be used."""
    found = [
        kit_of_a_site(name, change=partial(place, make=make), hears=hears) for name, (make, hears, _) in MADE.items()
    ]
    other = f"certificate of {OTHER} .* the kit is for {SITE}"
    swapped = [
        ("another site's certificate and key", "client.crt client.key", other),
        ("another site's key", "client.key", "its private key belongs to another certificate"),
        ("another site's certificate", "client.crt", other),
    ]
    for name, files, hears in swapped:
        found.append(kit_of_a_site(name, change=partial(swap, names=files.split()), hears=hears))
    hears = f"cannot log in .*certificate of {OTHER} .* the kit is for lead@consortium.org"
    return [*found, Intruder(name="kit of the lead: a site's certificate", attempt=leads_kit, hears=hears)]


def kit_of_a_site(name: str, *, change: Callable[[Ground, Path], None], hears: str) -> Intruder:
    """A site's kit that is changed and then started."""
    return Intruder(name=f"kit: {name}", attempt=partial(started, change=change), hears=f"ERROR - .*{hears}")


def copied(ground: Ground, name: str, to: str) -> Path:
    """Copy what a kit was made of, without what its process wrote and without signatures, as a thief would."""
    kit = ground.folder / to.replace(" ", "-")
    shutil.rmtree(kit, ignore_errors=True)
    for folder in ("startup", "local"):
        shutil.copytree(ground.kits / name / folder, kit / folder, ignore=shutil.ignore_patterns(SIGNATURES))
    return kit


def place(ground: Ground, kit: Path, *, make: Maker) -> None:
    """Put a made certificate into a kit."""
    write_chain(make(ground), kit / "startup")


def swap(ground: Ground, kit: Path, *, names: list[str]) -> None:
    """Put files of the other site into a kit."""
    for name in names:
        shutil.copyfile(ground.kits / OTHER / "startup" / name, kit / "startup" / name)


def started(ground: Ground, *, change: Callable[[Ground, Path], None]) -> Refusal:
    """Start a copy of a site's kit with its own script; a process that lasts was not refused."""
    kit = copied(ground, SITE, "false-site")
    change(ground, kit)
    command = ["/bin/bash", str(kit / "startup" / "sub_start.sh"), "--once"]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=kit_environment(ground.federation.record.mark),
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=START_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return Refusal(refused=False, heard="its process runs")
    return Refusal(refused=process.returncode != 0, heard=" ".join(said.split()))


def leads_kit(ground: Ground) -> Refusal:
    """Log in with the lead's kit and a hospital's certificate, as our commands do."""
    kit = copied(ground, "lead@consortium.org", "false-lead")
    swap(ground, kit, names=["client.crt", "client.key"])
    try:
        with admin_session(kit):
            return Refusal(refused=False, heard="logged in")
    except ConnectionError as error:
        return Refusal(refused=True, heard=str(error))
