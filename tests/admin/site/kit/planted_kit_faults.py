"""Misconfigurations of a kit and its machine, each a small edit, and the check that finds it."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from nvflare.lighter.utils import sign_folders

from admin.federation.kit_settings import set_server_store
from admin.federation.kits.lead_software import software_here
from admin.site.kit.checks import machine_checks, software_checks
from admin.site.policy.installed_policy import install
from hospital_policy.rules import RULES_FILE, Rules
from tests.admin.federation.made_certificates import Made, made
from tests.admin.site.kit.kit_world import SITE, World, change, connect_to, data_folder
from tests.admin.site.kit.tls_server import serving

SERVER, LEAD = "fl-server", "lead@consortium.org"
RESOURCES, RIGHTS, SOFTWARE = "resources.json.default", "authorization.json.default", "fedaid_software.json"


@dataclass(frozen=True)
class KitFault:
    """A fault; ``also`` are checks that must find it too, ``shows`` is a part of what is printed."""

    name: str
    check: str
    plant: Callable[[World, pytest.MonkeyPatch], object]
    shows: str = ""
    kit: str = SITE
    also: tuple[str, ...] = ()


def in_world(plant: Callable[[World], object]) -> Callable[[World, pytest.MonkeyPatch], object]:
    """A fault that needs no patch."""
    return lambda world, _: plant(world)


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


def with_startup(edit: Callable[[Path], object]) -> Callable[[World, pytest.MonkeyPatch], object]:
    """An edit of the site's startup/."""
    return in_world(lambda world: edit(world.site / "startup"))


def replaced(name: str, old: str, new: str) -> Callable[[World, pytest.MonkeyPatch], object]:
    """A text in a file of the site's startup/ replaced."""

    def edit(startup: Path) -> None:
        file = startup / name
        assert old in file.read_text()
        file.write_bytes(file.read_text().replace(old, new).encode())

    return with_startup(edit)


def setting(file: str, edit: Callable[[Any], object], kit: str = SITE) -> Callable[[World, pytest.MonkeyPatch], object]:
    """An edit of a file in local/."""
    return in_world(lambda world: change(world.kits / kit / "local" / file, edit))


def signed_and(edit: Callable[[Path], object]) -> Callable[[World, pytest.MonkeyPatch], object]:
    """A kit that the authority signed, changed afterwards."""

    def plant(world: World) -> None:
        startup = world.site / "startup"
        (startup / "more.txt").write_text("")
        sign_folders(str(startup), world.authority.key, signature_file="signature.json")
        edit(startup)

    return in_world(plant)


def served_by(edit: Callable[[World, Path], float | None]) -> Callable[[World, pytest.MonkeyPatch], object]:
    """A server with a changed kit; ``edit`` returns by how many seconds its clock is ahead."""

    def plant(world: World) -> None:
        kit = Path(shutil.copytree(world.server, world.kits.parent / "changed-server"))
        port = world.ends.enter_context(serving(kit, ahead=edit(world, kit / "startup") or 0.0))
        connect_to(world.site, port)
        change(
            world.server / "startup" / "fed_server.json",
            lambda found: found["servers"][0]["service"].update(target=f"fl-server:{port}"),
        )

    return in_world(plant)


def foreign_server(world: World, startup: Path) -> None:
    made("fl-server", signer=made("fedaid")).write(startup / "server.crt", startup / "server.key")


def other_server(world: World, startup: Path) -> None:
    made("hospital-lake", signer=world.authority).write(startup / "server.crt", startup / "server.key")


def ended_server(world: World, startup: Path) -> None:
    made("fl-server", signer=world.authority, ends=-0.5).write(startup / "server.crt", startup / "server.key")


def trusting_another(world: World, startup: Path) -> None:
    made("fedaid").write(startup / "rootCA.pem")


def unknown_name(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **named: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def plain_server(world: World) -> None:
    listener = world.ends.enter_context(socket.create_server(("127.0.0.1", 0)))

    def answer() -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"220 mail server\r\n")
                connection.recv(4096)

    threading.Thread(target=answer, daemon=True).start()
    connect_to(world.site, listener.getsockname()[1])


def lacks_torch(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    here = software_here() | {"torch": software_checks.MISSING}
    monkeypatch.setattr(software_checks, "software_here", lambda: here)


def policy_and(name: str) -> Callable[[World, pytest.MonkeyPatch], object]:
    """An installed policy without one of its parts."""

    def plant(world: World) -> None:
        install(world.site, Rules(clip=1.0))
        part = world.site / "local" / name
        shutil.rmtree(part) if part.is_dir() else part.unlink()

    return in_world(plant)


def altered_policy(world: World) -> None:
    install(world.site, Rules(clip=1.0))
    with (world.site / "local" / "custom" / "hospital_policy" / "release.py").open("a") as file:
        file.write("# other")


def readable_store(world: World) -> None:
    store = world.kits.parent / "store"
    set_server_store(world.server, store)
    (store / "jobs").mkdir(parents=True)
    (store / "jobs").chmod(0o755)


def store_below_a_file(world: World) -> None:
    (world.kits.parent / "file").write_text("")
    set_server_store(world.server, world.kits.parent / "file" / "store")


def server_setting(text: str) -> Callable[[World, pytest.MonkeyPatch], object]:
    """A text in the server's settings file."""
    return in_world(lambda world: (world.server / "local" / "fedaid_server.json").write_text(text))


def site_setting(text: str) -> Callable[[World, pytest.MonkeyPatch], object]:
    """A text in the site's settings file."""
    return in_world(lambda world: (world.site / "local" / "fedaid_site.json").write_text(text))


def vocabulary(world: World) -> None:
    with (world.site / "local" / "custom" / "fedaid" / "models" / "vocabulary.txt").open("a") as file:
        file.write("word\n")


def own_resources(world: World) -> None:
    content = (world.site / "local" / RESOURCES).read_text()
    (world.site / "local" / "resources.json").write_text(content)
    change(world.site / "local" / "resources.json", lambda found: found.pop("class_allow_list"))


def offer_gpus(found: Any) -> None:
    found["components"][0]["args"]["num_of_gpus"] = 8


def foreign() -> Made:
    return made("elsewhere")


FILES = (
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
        signed_and(lambda s: (s / "start.sh").write_text("# other\n")),
        "start.sh: altered",
    ),
    KitFault(
        "added after signing",
        "file-altered",
        signed_and(lambda s: (s / "more.py").write_text("")),
        "more.py: not signed",
    ),
    KitFault(
        "removed after signing", "file-altered", signed_and(lambda s: (s / "more.txt").unlink()), "more.txt: missing"
    ),
    KitFault("open key", "key-readable", with_startup(lambda s: (s / "client.key").chmod(0o640)), "mode 0640"),
    KitFault("open kit", "kit-readable", in_world(lambda world: world.site.chmod(0o755)), "mode 0755"),
    KitFault(
        "settings that others can change",
        "kit-writable",
        in_world(lambda world: (world.site / "local" / RESOURCES).chmod(0o666)),
        RESOURCES,
    ),
)
CERTIFICATES = (
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
NETWORK = (
    KitFault("unknown name", "server-name-unknown", unknown_name, "Name or service not known"),
    KitFault("closed port", "server-unreachable", in_world(lambda world: connect_to(world.site, 1)), "127.0.0.1:1: "),
    KitFault("mail server", "server-tls", in_world(plain_server), "wrong version number"),
    KitFault("proxy", "server-certificate", served_by(foreign_server), "signed by fedaid"),
    KitFault("ended certificate of the server", "server-certificate", served_by(ended_server), "valid from"),
    KitFault(
        "another participant", "server-identity", served_by(other_server), "hospital-lake, the kit expects fl-server"
    ),
    KitFault("server of another consortium", "kit-refused", served_by(trusting_another), "127.0.0.1"),
    KitFault("clock an hour ahead", "clock-skew", served_by(lambda world, startup: 3600.0), "ahead of this machine"),
    KitFault("clock two minutes behind", "clock-skew", served_by(lambda world, startup: -120.0), "behind this machine"),
    KitFault("another server on the port", "port-taken", served_by(other_server), "another process", SERVER),
)
SOFTWARE_FAULTS = (
    KitFault("no torch", "package-missing", lacks_torch, "package torch: not installed"),
    *(
        KitFault(
            f"other {name}",
            "package-version",
            setting(SOFTWARE, lambda found, name=name: found.update({name: "0.1"})),
            name,
        )
        for name in ("torch", "transformers", "nvflare", "numpy")
    ),
    KitFault("other Python", "python-version", setting(SOFTWARE, lambda found: found.update(python="3.9.1")), "3.9.1"),
    KitFault(
        "no wheel installed",
        "code-missing",
        in_world(lambda world: shutil.rmtree(world.site / "local" / "custom" / "fedaid")),
        "local/custom/fedaid",
    ),
    KitFault(
        "changed code",
        "code-differs",
        in_world(lambda world: (world.site / "local" / "custom" / "fedaid" / "__init__.py").write_text("x = 1\n")),
        "local/custom/fedaid",
    ),
    KitFault(
        "changed wheel",
        "wheel-differs",
        in_world(lambda world: (world.server / "fedaid-1-py3-none-any.whl").write_bytes(b"other")),
        "fedaid-1",
        SERVER,
    ),
    KitFault(
        "changed vocabulary", "vocabulary-differs", in_world(vocabulary), "vocabulary.txt", also=("code-differs",)
    ),
    KitFault(
        "vocabulary of another version",
        "vocabulary-differs",
        setting(SOFTWARE, lambda found: found.update(vocabulary="ab")),
        "ab",
    ),
)
RIGHTS_FAULTS = (
    KitFault(
        "no class list", "class-list-open", setting(RESOURCES, lambda found: found.pop("class_allow_list")), "missing"
    ),
    KitFault("settings of the owner without it", "class-list-open", in_world(own_resources), "local/resources.json: "),
    KitFault(
        "all classes", "class-list-open", setting(RESOURCES, lambda found: found["class_allow_list"].append("*")), '"*"'
    ),
    KitFault(
        "warned only",
        "class-list-open",
        setting(RESOURCES, lambda found: found.update(class_list_enforcement_mode="warn")),
        "'warn'",
    ),
    KitFault(
        "a whole package",
        "class-list-wider",
        setting(RESOURCES, lambda found: found["class_allow_list"].append("nvflare")),
        "class_allow_list with nvflare",
    ),
    KitFault(
        "a class too few",
        "class-list-short",
        setting(RESOURCES, lambda found: found["class_allow_list"].pop(0)),
        "without fedaid.",
    ),
    KitFault(
        "code from the lead",
        "byoc-allowed",
        setting(RIGHTS, lambda found: found["permissions"]["lead"].update(byoc="any")),
        "byoc 'any' for lead",
    ),
    KitFault(
        "code from the admin, at the server",
        "byoc-allowed",
        setting(RIGHTS, lambda found: found["permissions"].update(project_admin="any"), SERVER),
        "project_admin",
        SERVER,
    ),
    KitFault(
        "log streaming",
        "log-streaming",
        setting(RESOURCES, lambda found: found.update(allow_log_streaming=True)),
        "True",
    ),
    KitFault(
        "FLARE's default", "log-streaming", setting(RESOURCES, lambda found: found.pop("allow_log_streaming")), "True"
    ),
    KitFault(
        "texts of exceptions",
        "exception-texts",
        replaced("sub_start.sh", "export NVFLARE_SECURE_LOGGING=true", ""),
        "sub_start.sh",
    ),
    KitFault("policy without filters", "policy-broken", policy_and("privacy.json"), "privacy.json"),
    KitFault("policy without rules", "policy-broken", policy_and(RULES_FILE), RULES_FILE),
    KitFault("altered policy", "policy-differs", in_world(altered_policy), "local/custom/hospital_policy"),
    KitFault("policy without code", "policy-broken", policy_and("custom/hospital_policy"), "missing"),
)
STORAGE = (
    KitFault(
        "temporary store",
        "storage-temporary",
        in_world(lambda world: set_server_store(world.server, world.kits.parent / "temporary" / "x")),
        "temporary/x/jobs",
        SERVER,
    ),
    KitFault("store below a file", "storage-not-writable", in_world(store_below_a_file), "is a file", SERVER),
    KitFault(
        "relative run store",
        "storage-not-writable",
        server_setting('{"run_store": "runs"}'),
        "not an absolute path",
        SERVER,
    ),
    KitFault("open store", "storage-readable", in_world(readable_store), "mode 0755", SERVER),
    KitFault("misspelt run store", "run-store-invalid", server_setting('{"run_stores": "/x"}'), "run_stores", SERVER),
)
MACHINE_AND_DATA = (
    KitFault(
        "full disk",
        "disk-low",
        lambda world, patch: patch.setattr(machine_checks, "free_bytes", lambda folder: 2e9),
        "2.0 GB free",
    ),
    KitFault(
        "little memory",
        "memory-low",
        lambda world, patch: patch.setattr(machine_checks, "memory_bytes", lambda: 1e9),
        "1.0 GB",
    ),
    KitFault("GPUs that are not there", "gpu-missing", setting(RESOURCES, offer_gpus), "num_of_gpus 8"),
    KitFault(
        "no data folder",
        "data-folder",
        in_world(lambda world: (world.site / "local" / "fedaid_site.json").unlink()),
        "data_root",
    ),
    KitFault("relative data folder", "data-folder", site_setting('{"data_root": "data"}'), "absolute path"),
    KitFault("misspelt data folder", "data-folder", site_setting('{"data-root": "/data"}'), "data_root"),
    KitFault(
        "data folder that is gone", "data-missing", in_world(lambda world: shutil.rmtree(world.data)), "no such folder"
    ),
    KitFault(
        "empty data folder",
        "data-missing",
        in_world(lambda world: (world.data / "manifest.csv").unlink()),
        "no manifest.csv",
    ),
    KitFault(
        "errors in the data",
        "data-errors",
        in_world(lambda world: data_folder(world.data, image_missing="error")),
        "image-missing",
    ),
)
FAULTS = (*FILES, *CERTIFICATES, *NETWORK, *SOFTWARE_FAULTS, *RIGHTS_FAULTS, *STORAGE, *MACHINE_AND_DATA)
