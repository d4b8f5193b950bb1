"""The steps of docs/provisioned.md that make kits, and those that start them."""

from __future__ import annotations

import json
import re

import psutil
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from admin.federation.kit_process import family
from admin.federation.start import listening
from admin.session.login import admin_session
from tests.integration.conftest import small_job
from tests.walk.step import Step
from tests.walk.world import ADMIN, LEAD, SERVER, SITES, World

PAGE = "provisioned"
PROVISION = "python -m admin provision --project consortium.yml --out build/provision"
OPENSSL = "openssl x509 -in startup/client.crt -noout -fingerprint -sha256 -enddate"
PREFLIGHT = "nvflare preflight-check -p ."
PROFILE = {
    "name": "fedaid",
    "scheme": "http",
    "connection_security": "mtls",
    "server": {"host": "fl.consortium.org", "fed_learn_port": 8002, "admin_port": 8002},
}
HOSPITAL = {"name": "fedaid", "participants": [{"name": "hospital-north", "type": "client", "org": "hospital_north"}]}


def private(world: World) -> None:
    """Everything below build/provision is readable by its owner only."""
    out = world.checkout / "build" / "provision"
    modes = {path.stat().st_mode & 0o777 for path in (out, *out.rglob("*")) if not path.is_symlink()}
    assert modes <= {0o700, 0o600}, [oct(mode) for mode in modes]
    assert (out / "fedaid" / "state" / "cert.json").is_file()
    every = {SERVER, LEAD, "admin@consortium.org", *SITES}
    every |= {f"{role}@{site}.org" for site in SITES for role in ("manager", "member")}
    assert {kit.name for kit in world.kits.iterdir() if (kit / "startup").is_dir()} == every


def printed_fingerprint(world: World) -> None:
    """What openssl prints is what provision printed."""
    said = world.outcomes[0].output
    here = re.findall(r"Fingerprint=([0-9A-F:]+)", world.values["SAID"])
    assert len(here) == 1
    assert here[0] in said, "provision prints another fingerprint"


def keys_at_the_hospital(world: World) -> None:
    folder = world.folder / "by-hand"
    folder.mkdir()
    (folder / "profile.yml").write_text(yaml.safe_dump(PROFILE))
    (folder / "hospital-north.yml").write_text(yaml.safe_dump(HOSPITAL))


def fingerprint(world: World) -> None:
    root = x509.load_pem_x509_certificate((world.folder / "by-hand" / "ca" / "rootCA.pem").read_bytes())
    world.values["FINGERPRINT"] = "SHA256:" + root.fingerprint(SHA256()).hex(":").upper()


def packed(world: World) -> None:
    (kit,) = (world.folder / "by-hand" / "workspace" / "fedaid" / "prod_00").iterdir()
    assert (kit / "startup" / "client.key").stat().st_mode & 0o077 == 0


def own_store(world: World) -> None:
    """The server keeps its jobs on the other disk, and drops a silent site after a minute."""
    text = (world.kit(SERVER) / "local" / "resources.json").read_text()
    assert "/tmp/nvflare" not in text  # noqa: S108
    assert text.count(str(world.srv)) >= 2
    assert json.loads(text)["servers"][0]["heart_beat_timeout"] == 60


def server_listens(world: World) -> None:
    world.wait_for(lambda: listening(world.port), "the server listens")
    heard = [
        c for one in family([], mark=world.mark) for c in one.net_connections("inet") if c.status == psutil.CONN_LISTEN
    ]
    assert {connection.laddr.ip for connection in heard} == {"127.0.0.1"}
    assert world.port in {connection.laddr.port for connection in heard}


def sites_registered(world: World) -> None:
    world.wait_for(lambda: all(world.times_registered().get(site) for site in SITES), "log.txt: registered")


def small_job_instead(world: World) -> None:
    """The printed job is whole, but its 50 rounds would take hours here: the walk submits a small one in its place."""
    job = world.checkout / "build" / "jobs" / "fedaid_pretrain"
    assert '"num_rounds": 50' in (job / "app" / "config" / "config_fed_server.json").read_text()
    small_job(world.checkout / "build" / "jobs", sites=3, run_name="walk")


def downloaded(world: World) -> None:
    world.values["DONE"] = world.values["JOB_ID"]
    folder = world.checkout / "build" / "results" / world.values["DONE"] / "workspace"
    assert (folder / "app_server" / "fedaid" / "results.json").is_file()
    for site in SITES:
        assert (world.kit(site) / world.values["DONE"] / "log.txt").is_file(), "a job's log is at the site"


def stays_out(world: World) -> None:
    """The disabled kit is not let in again."""
    with admin_session(world.kit(ADMIN), timeout=60) as session:
        assert "hospital-north" not in {client.name for client in session.get_connected_client_list()}


def connected_ended(world: World) -> None:
    """Server and the hospital that is not disabled end; the two others go on trying until they are stopped."""
    ended = (SERVER, "hospital-lake")
    world.wait_for(lambda: not any(world.processes(kit) for kit in ended), "server and site end", seconds=120)
    assert all(world.processes(kit) for kit in SITES[1:])


KITS = (
    Step(
        PAGE,
        PROVISION,
        says=(r"valid until 20\d\d-\d\d-\d\d", r"\bnew\b", "sha256 [0-9A-F]{2}:", "trial|this machine"),
        then=private,
    ),
    Step(
        PAGE,
        "nvflare provision -p consortium.yml -w build/provision",
        instead={"build/provision": "build/plain"},
        why="the walk goes on with the kits of python -m admin provision",
    ),
    Step(PAGE, OPENSSL, at="hospital-north", says=("Fingerprint=", "notAfter="), then=printed_fingerprint),
    Step(PAGE, "nvflare cert init --profile profile.yml -o ca --valid-days 1825", at="by-hand", then=fingerprint),
    Step(PAGE, "nvflare cert request -p hospital-north.yml", at="by-hand"),
    Step(
        PAGE,
        "nvflare cert approve hospital-north/hospital-north.request.zip -c ca --profile profile.yml --valid-days 730",
        at="by-hand",
    ),
    Step(
        PAGE,
        "nvflare package hospital-north/hospital-north.signed.zip --fingerprint SHA256:...",
        at="by-hand",
        then=packed,
    ),
    Step(
        PAGE,
        "pip install -r requirements.txt -c constraints.txt",
        instead={"pip install": "pip install --dry-run"},
        why="pip looks whether they fit together, and leaves the environment that all tests share",
        says=("Requirement already satisfied: nvflare",),
    ),
    Step(PAGE, f"{PROVISION} --no-byoc", says=("fedaid-.*whl", "sha256", "as before"), never=(r"\bnew\b",)),
    Step(PAGE, "python -m admin package fedaid_pretrain --no-code --set min_clients=3", says=("fedaid_pretrain",)),
    Step(
        PAGE,
        "pip install --no-deps fedaid-*.whl",
        at="checkout/build/provision/wheel",
        instead={"--no-deps": "--no-deps --no-index --target ../../../../environment"},
        why="into a folder of the walk instead of the environment that all tests share",
        says=("Successfully installed fedaid",),
    ),
    Step(
        PAGE,
        "pip install --no-deps --target local/custom fedaid-*.whl",
        at="checkout/build/provision/fedaid/prod_01/hospital-north",
        instead={"pip install": "cp ../../../wheel/fedaid-*.whl . && pip install --no-index"},
        why="the wheel was handed out with the kit",
        says=("Successfully installed fedaid",),
    ),
)
STARTED = (
    Step(PAGE, "mkdir -p /srv/fedaid", at="server"),
    Step(
        PAGE,
        "sed 's#/tmp/nvflare#/srv/fedaid#' local/resources.json.default > local/resources.json",
        at="server",
        then=own_store,
    ),
    Step(PAGE, PREFLIGHT, at="server", says=("PASSED|passed",), never=("FAILED|Traceback",)),
    Step(PAGE, "bash startup/start.sh", at="server", then=server_listens),
    Step(PAGE, """echo '{"data_root": "/data/fedaid"}' > local/fedaid_site.json""", at="sites"),
    Step(
        PAGE,
        "python -m admin doctor PATH_OF_THE_KIT",
        instead={"PATH_OF_THE_KIT": "KITS/hospital-north"},
        why="one of the three hospitals",
    ),
    Step(PAGE, PREFLIGHT, at="sites", says=("PASSED|passed",), never=("FAILED|Traceback",)),
    Step(PAGE, "bash startup/start.sh", at="sites", then=sites_registered),
)
SUBMITTED = (
    Step(
        PAGE,
        "python -m admin package fedaid_pretrain --set min_clients=3 --set num_rounds=50",
        then=small_job_instead,
    ),
    Step(
        PAGE,
        "python -m admin submit build/jobs/fedaid_pretrain --kit KITS/lead@consortium.org --wait --out build/results",
        says=("FINISHED:COMPLETED", r"^result .*build/results/[-0-9a-f]+$"),
        keep="JOB_ID",
        then=downloaded,
    ),
    Step(PAGE, "nvflare job logs JOB_ID --startup-kit KITS/lead@consortium.org", says=("[Rr]ound 1",)),
    Step(PAGE, "python -m admin monitor JOB_ID --kit ...", says=("FINISHED:COMPLETED",)),
    Step(PAGE, "python -m admin status --kit ...", says=("complete +2/2",)),
    Step(
        PAGE,
        "nvflare job download JOB_ID -o build/results --startup-kit ...",
        instead={"build/results": "build/by-nvflare"},
        why="build/results has the job already, by submit --wait",
    ),
)
STOPPED = (
    Step(
        PAGE,
        "nvflare system disable-client hospital-north --startup-kit KITS/admin@consortium.org",
        answer="y\n",
        then=stays_out,
    ),
    Step(PAGE, "nvflare system shutdown all --force --startup-kit KITS/admin@consortium.org", then=connected_ended),
)
