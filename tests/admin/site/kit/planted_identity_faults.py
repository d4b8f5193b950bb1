"""Faults of the files of a kit, of its certificate and of its key."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from admin.federation.kits.signed_files import LIST, SIGNATURES
from tests.admin.federation.made_certificates import Made, made
from tests.admin.site.kit.kit_fault import (
    LEAD,
    RESOURCES,
    RIGHTS,
    SERVER,
    KitFault,
    in_world,
    replaced,
    with_startup,
)
from tests.admin.site.kit.kit_world import SITE, World, change


def certified(**options: Any) -> Callable[[World, pytest.MonkeyPatch], object]:
    """A site with another certificate, by default signed by the consortium's authority."""

    def plant(world: World) -> None:
        given = {"name": SITE, "organisation": "hospital_north", "signer": world.authority} | options
        signer = given["signer"]
        given["signer"] = signer() if callable(signer) else signer
        made(given.pop("name"), **given).write(
            world.site / "startup" / "client.crt", world.site / "startup" / "client.key"
        )

    return in_world(plant)


def authority(*, begins: float = -10, ends: float) -> Callable[[World, pytest.MonkeyPatch], object]:
    """A site whose authority has other dates and the same key."""

    def plant(world: World) -> None:
        made("fedaid", key=world.authority.key, begins=begins, ends=ends).write(world.site / "startup" / "rootCA.pem")

    return in_world(plant)


def without_signature(startup: Path) -> None:
    (startup / "stop_fl.sh").unlink()
    change(startup / SIGNATURES, lambda found: found.pop("stop_fl.sh"))


def swapped(startup: Path) -> None:
    """Another file of the kit, with its own signature, in the place of the start script."""
    shutil.copyfile(startup / "stop_fl.sh", startup / "start.sh")
    change(startup / SIGNATURES, lambda found: found.update({"start.sh": found["stop_fl.sh"]}))


def list_of_another_kit(world: World) -> None:
    ours, theirs = (kit / "startup" for kit in (world.site, world.lead))
    signatures = json.loads((theirs / SIGNATURES).read_text())
    shutil.copyfile(theirs / LIST, ours / LIST)
    change(ours / SIGNATURES, lambda found: found.update({LIST: signatures[LIST]}))


def foreign() -> Made:
    return made("elsewhere")


IDENTITY_FAULTS = (
    KitFault(
        "no authority",
        "kit-incomplete",
        with_startup(lambda startup: (startup / "rootCA.pem").unlink()),
        "startup/rootCA.pem",
        also=("certificate-unreadable",),
    ),
    KitFault(
        "no start script", "kit-incomplete", with_startup(lambda startup: (startup / "start.sh").unlink()), "start.sh"
    ),
    KitFault(
        "no check before the start",
        "kit-incomplete",
        with_startup(lambda s: (s / "kit_check.py").unlink()),
        "kit_check.py",
    ),
    KitFault(
        "no record of the code",
        "kit-incomplete",
        in_world(lambda world: (world.site / "local" / "fedaid_code.json").unlink()),
        "fedaid_code.json",
        also=("code-differs",),
    ),
    KitFault(
        "half a file",
        "setting-unreadable",
        in_world(lambda world: (world.site / "local" / "privacy.json").write_text("{")),
        "local/privacy.json",
    ),
    KitFault("not executable", "start-script", with_startup(lambda s: (s / "sub_start.sh").chmod(0o600)), "mode 0600"),
    KitFault("saved on Windows", "start-script", replaced("sub_start.sh", "\n", "\r\n"), "Windows"),
    KitFault(
        "script of another site",
        "names-differ",
        replaced("sub_start.sh", f"uid={SITE}", "uid=hospital-lake"),
        "hospital-lake",
    ),
    KitFault(
        "script of another organisation",
        "organisation-differs",
        replaced("sub_start.sh", "org=hospital_north", "org=study_office"),
        "org=study_office",
    ),
    KitFault("open umask", "umask", replaced("sub_start.sh", "umask 077", "umask 022"), "no line umask 077"),
    KitFault(
        "no address of the server",
        "setting-missing",
        in_world(
            lambda world: change(world.lead / "startup" / "fed_admin.json", lambda found: found["admin"].pop("port"))
        ),
        "be a host and a port",
        LEAD,
    ),
    KitFault(
        "no name of the server",
        "setting-missing",
        in_world(
            lambda world: change(
                world.site / "startup" / "fed_client.json", lambda found: found["servers"][0].pop("identity")
            )
        ),
        "no server's name",
    ),
    KitFault(
        "altered after signing",
        "file-altered",
        with_startup(lambda s: (s / "start.sh").write_text("# other\n")),
        "startup/start.sh: altered",
        after_signing=True,
    ),
    KitFault(
        "added after signing",
        "file-altered",
        with_startup(lambda s: (s / "more.py").write_text("")),
        "more.py: not signed",
        after_signing=True,
    ),
    KitFault(
        "removed after signing",
        "file-altered",
        with_startup(lambda s: (s / "stop_fl.sh").unlink()),
        "stop_fl.sh: missing",
        after_signing=True,
    ),
    KitFault(
        "removed with its signature",
        "file-altered",
        with_startup(without_signature),
        "stop_fl.sh: missing",
        after_signing=True,
    ),
    KitFault(
        "a signed file under another's name",
        "file-altered",
        with_startup(swapped),
        "start.sh: altered",
        after_signing=True,
    ),
    KitFault(
        "signed list of another kit",
        "file-altered",
        in_world(list_of_another_kit),
        f"of the kit of {LEAD}, in the kit of {SITE}",
        also=("local-altered",),
        after_signing=True,
    ),
    KitFault(
        "a foreign authority in the place of the consortium's",
        "file-altered",
        with_startup(lambda s: foreign().write(s / "rootCA.pem")),
        "startup/start.sh: altered",
        also=("certificate-signer", "server-certificate"),
        after_signing=True,
    ),
    KitFault(
        "the lead's rules changed",
        "local-altered",
        in_world(lambda world: change(world.site / "local" / RIGHTS, lambda found: found.update(x=1))),
        f"local/{RIGHTS}: altered",
        after_signing=True,
    ),
    KitFault(
        "the server's code changed",
        "local-altered",
        in_world(lambda world: (world.server / "local" / "custom" / "refusals" / "__init__.py").write_text("x = 1")),
        "local/custom/refusals/__init__.py: altered",
        SERVER,
        also=("server-components",),
        after_signing=True,
    ),
    KitFault(
        "signatures removed",
        "kit-not-signed",
        with_startup(lambda s: [(s / name).unlink() for name in (SIGNATURES, LIST)]),
        "signature.json: no such file",
        after_signing=True,
    ),
    KitFault("open key", "key-readable", with_startup(lambda s: (s / "client.key").chmod(0o640)), "mode 0640"),
    KitFault("open kit", "kit-readable", in_world(lambda world: world.site.chmod(0o755)), "mode 0755"),
    KitFault(
        "settings that others can change",
        "kit-writable",
        in_world(lambda world: (world.site / "local" / RESOURCES).chmod(0o666)),
        RESOURCES,
    ),
    KitFault("ended", "certificate-expired", certified(begins=-9, ends=-0.5), "valid from", also=("kit-refused",)),
    KitFault("begins tomorrow", "certificate-not-yet-valid", certified(begins=1), "valid from", also=("kit-refused",)),
    KitFault("ends in a month", "certificate-ends-soon", certified(ends=30), "valid from"),
    KitFault(
        "kit of another site", "certificate-name", certified(name="hospital-lake"), "hospital-lake, in the kit of"
    ),
    KitFault("self-signed", "certificate-self-signed", certified(signer=None), SITE, also=("kit-refused",)),
    KitFault("foreign", "certificate-signer", certified(signer=foreign), "signed by elsewhere", also=("kit-refused",)),
    KitFault(
        "foreign of the same name",
        "certificate-signer",
        certified(signer=lambda: made("fedaid")),
        "signed by fedaid",
        also=("kit-refused",),
    ),
    KitFault("a site as lead", "certificate-role", certified(role="lead"), "role 'lead', of a site"),
    KitFault(
        "a lead without role",
        "certificate-role",
        in_world(
            lambda world: made(LEAD, signer=world.authority).write(
                world.lead / "startup" / "client.crt", world.lead / "startup" / "client.key"
            )
        ),
        "role ''",
        LEAD,
    ),
    KitFault("ended authority", "authority-not-valid", authority(ends=-1), "rootCA.pem"),
    KitFault("authority of tomorrow", "authority-not-valid", authority(begins=1, ends=200), "rootCA.pem"),
    KitFault("authority ends in a month", "authority-ends-soon", authority(ends=30), "valid from"),
    KitFault(
        "key of another site",
        "key-mismatch",
        with_startup(lambda s: made(SITE).write(s / "other.crt", s / "client.key")),
        "client.key",
    ),
    KitFault(
        "no certificate",
        "certificate-unreadable",
        with_startup(lambda s: (s / "client.crt").write_text("x")),
        "client.crt",
    ),
)
