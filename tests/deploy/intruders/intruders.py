"""The series: everybody who must not come in, at kits that take code and at kits that refuse it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from admin.federation.provision import ProvisionedFederation
from admin.twin.consortium import DEMO_HOSPITALS, write_consortium
from tests.deploy.deployed import Deployed
from tests.deploy.intruders.false_kits import false_kits
from tests.deploy.intruders.false_names import false_names
from tests.deploy.intruders.false_servers import false_servers
from tests.deploy.intruders.foreign_code import foreign_code
from tests.deploy.intruders.forged_jobs import forged_jobs
from tests.deploy.intruders.intruder import Ground, Intruder, all_failures
from tests.deploy.intruders.strangers import SITE, handshake, strangers

PROJECT = Path(__file__).parents[3] / "admin" / "project.yml"
SITES = ("hospital-lake", "hospital-north", "hospital-south")
SIZES = (60, 50, 40)


def intruders(folder: Path) -> Deployed:
    """Try all intruders at two federations on this machine, with mutual TLS on loopback."""
    roots = data_roots(folder / "hospitals")
    with ProvisionedFederation(folder / "code", PROJECT, data_roots=roots) as federation:
        ground = Ground(federation, empty(folder / "with-code"))
        failures = [] if owner_comes_in(ground) else ["the certificate of a kit was refused, so nothing is shown"]
        tried: list[Intruder] = [*without_jobs(), *forged_jobs()]
        refused, wrong = all_failures(tried, ground)
    with ProvisionedFederation(folder / "no-code", PROJECT, data_roots=roots, no_byoc=True) as federation:
        more = foreign_code()
        refused_too, wrong_too = all_failures(more, Ground(federation, empty(folder / "without-code")))
    return Deployed(
        place="provisioned, TLS",
        refused=refused + refused_too,
        refused_expected=len(tried) + len(more),
        failures=(*failures, *wrong, *wrong_too),
    )


def without_jobs() -> list[Intruder]:
    """Intruders who need no job: some 80 s on an idle core."""
    return [*strangers(), *false_servers(), *false_kits(), *false_names()]


def owner_comes_in(ground: Ground) -> bool:
    """Whether the server answers the certificate of a kit: the intruders are refused for what they are."""
    startup = ground.kits / SITE / "startup"
    return not handshake(ground, source=50, files=(startup / "client.crt", startup / "client.key")).refused


def data_roots(folder: Path) -> dict[str, Path]:
    """Write three small hospitals, and return their data folders."""
    hospitals = [replace(one, studies=size) for one, size in zip(DEMO_HOSPITALS, SIZES, strict=True)]
    write_consortium(folder, hospitals=hospitals, image_size=64)
    return dict(zip(SITES, sorted(path for path in folder.iterdir() if path.is_dir()), strict=True))


def empty(folder: Path) -> Path:
    """Make a folder."""
    folder.mkdir()
    return folder
