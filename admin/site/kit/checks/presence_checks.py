"""Checks of how server and sites notice each other: the server's own components, and the pause between heartbeats."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from admin.federation.kit_settings import CLOCK_FILE, EXPECTED_FILE, GUARD_FILE, WATCH_FILE
from admin.federation.kits import expected_sites, job_guard, server_watch
from admin.federation.kits.installed_refusals import AT_SERVER, PACKAGE
from admin.federation.kits.startup_kit import SERVER, SITE, START_SCRIPT, read_object
from admin.results.file_hash import sha256
from admin.site.doctor.doctor_check import WARNING
from admin.site.kit.kit_finding import ExaminedKit, KitCheck, Place
from fedaid.flare.transport import steady_clock

PAUSE = "heart_beat_interval"  # FLARE's name, in the start script; without it a site sends a heartbeat every 10 s
MOST_SECONDS = server_watch.OVER
CODE = {
    GUARD_FILE: [Path(job_guard.__file__)],
    WATCH_FILE: [Path(server_watch.__file__)],
    CLOCK_FILE: [Path(str(steady_clock.__file__))],
    EXPECTED_FILE: [Path(expected_sites.__file__)],
    AT_SERVER: sorted(Path(job_guard.__file__).parents[1].joinpath(PACKAGE).glob("*.py")),
}
"""File of settings in ``local/`` → the modules that its components are in, as ``provision`` copies them."""


def lacking_components(examined: ExaminedKit) -> Iterator[Place]:
    """Find components that the server's kit lacks, and those of another version."""
    local = examined.kit.local
    for settings, modules in CODE.items():
        if not (local / settings).is_file() or not read_object(local / settings).get("components"):
            yield examined.place(local / settings, "no component")
        for module in modules:
            inside = Path(PACKAGE, module.name) if settings == AT_SERVER else Path(module.name)
            copy = local / "custom" / inside
            if not copy.is_file():
                yield examined.place(copy, "no such file")
            elif sha256(copy) != sha256(module):
                yield examined.place(copy, "of another version")


def long_pause(examined: ExaminedKit) -> Iterator[Place]:
    """Find a pause between heartbeats in which the server takes a site, or a second machine, for gone."""
    stated = examined.kit.in_script(PAUSE).strip("\"'")
    seconds = float(stated) if stated.replace(".", "", 1).isdecimal() else None
    if stated and (seconds is None or not 0 < seconds <= MOST_SECONDS):
        yield examined.place(examined.kit.startup / START_SCRIPT, f"{PAUSE}={stated}")


PRESENCE_CHECKS = (
    KitCheck(
        "server-components",
        "The server lacks components of this version: it would not name copied kits, absent or unexpected sites and "
        "refusals, and a failed site could end a job",
        "Copy the named files of local/ from a kit of the server that this version made, and restart the server.",
        WARNING,
        lacking_components,
        (SERVER,),
    ),
    KitCheck(
        "heart-beat",
        f"The pause between two heartbeats is not between 0 and {MOST_SECONDS:.0f} s: the server would take the site "
        "for lost, and end an alarm about two machines too early",
        f"Remove {PAUSE} from the start script: FLARE then takes 10 s. If the lead signed it so, ask for a new kit.",
        WARNING,
        long_pause,
        (SITE,),
    ),
)
