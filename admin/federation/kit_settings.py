"""Settings inside a startup kit that provisioning leaves to the machine's owner."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from admin.federation.kits import expected_sites, job_guard, server_watch
from admin.session import kit_check
from fedaid.flare.store.run_folder import FILE_NAME, FOLDER, from_file
from fedaid.flare.transport import steady_clock
from fedaid.flare.transport.exception_texts import VARIABLE

SITE_FILE = "fedaid_site.json"
SERVER_FILE = "fed_server.json"

CODE_FILE = "fedaid_code.json"  # in local/ of a kit for jobs without code
CHECK = "kit_check.py"
WORKSPACE_KNOWN = 'echo "WORKSPACE set to $WORKSPACE"'  # a line of FLARE's start script
RUN_CHECK = "import sys, pathlib, kit_check; sys.exit(kit_check.main(pathlib.Path(sys.argv[1])))"
SEES_ENVIRONMENT = "python3 -c 'import cryptography' 2>/dev/null"
NO_ENVIRONMENT = "ERROR - python3 has no package cryptography. Activate the environment of this kit, then start again."
CHECKED_START = f"""umask 077
{SEES_ENVIRONMENT} || {{ echo "{NO_ENVIRONMENT}" | tee -a "$WORKSPACE/log.txt" >&2; exit 1; }}
PYTHONPATH="$WORKSPACE/startup" python3 -B -c '{RUN_CHECK}' "$WORKSPACE" || exit 1"""
# FLARE's server process reads every file of local/ with this ending.
GUARD_FILE, WATCH_FILE, CLOCK_FILE, EXPECTED_FILE = (
    f"fedaid_{name}__p_resources.json" for name in ("guard", "watch", "clock", "expected")
)
HEART_BEAT_SECONDS = 60  # the server drops a site after this silence; FLARE's default is 600


def bind_to_loopback(server_kit: Path, port: int) -> None:
    """Let the server listen on 127.0.0.1 only.

    FLARE binds all interfaces unless the service target in the server's kit is a loopback address.
    """
    file = server_kit / "startup" / SERVER_FILE
    content = read_json(file)
    server = content["servers"][0]
    server["service"]["target"] = f"127.0.0.1:{port}"
    server["admin_port"] = port
    write_json(file, content)


def set_server_store(server_kit: Path, store: Path, *, heart_beat_timeout: int = HEART_BEAT_SECONDS) -> None:
    """Set a separate folder for the server's jobs and snapshots.

    By default all servers on a machine share one folder below the system's temporary folder and run each other's jobs.
    """
    content = read_json(server_kit / "local" / "resources.json.default")
    content["servers"][0]["heart_beat_timeout"] = heart_beat_timeout
    content["snapshot_persistor"]["args"]["storage"]["args"]["root_dir"] = str(store / "snapshots")
    for component in content["components"]:
        if component["id"] == "job_manager":
            component["args"]["uri_root"] = str(store / "jobs")
    write_json(server_kit / "local" / "resources.json", content)


def shorten_wait(server_kit: Path) -> None:
    """Let the server count a silent site as lost after a minute; the owner may write another number."""
    file = server_kit / "local" / "resources.json.default"
    content = read_json(file)
    content["servers"][0]["heart_beat_timeout"] = HEART_BEAT_SECONDS
    write_json(file, content)


def add_guard(server_kit: Path) -> None:
    """Let the failure of one site cost that site, not the job; see :mod:`admin.federation.kits.job_guard`."""
    add_component(server_kit, job_guard.JobGuard, id="fedaid_guard", file=GUARD_FILE)


def add_clock(server_kit: Path) -> None:
    """Let a step of the wall clock end no wait; see :mod:`fedaid.flare.transport.steady_clock`."""
    add_component(server_kit, steady_clock.SteadyClock, id="fedaid_clock", file=CLOCK_FILE)


def add_watch(server_kit: Path, sites: Sequence[str]) -> None:
    """Let the server name two machines with one kit, and the sites without a part in a job.

    Args:
        server_kit: of the server.
        sites: of the consortium.
    """
    add_component(server_kit, server_watch.ServerWatch, id="fedaid_watch", file=WATCH_FILE, sites=list(sites))


def expect_sites(server_kit: Path, sites: Sequence[str]) -> None:
    """Let the server compare the names of the connected sites with those of the project file."""
    add_component(server_kit, expected_sites.ExpectedSites, id="fedaid_expected", file=EXPECTED_FILE, sites=list(sites))


def add_component(server_kit: Path, made_by: type, *, id: str, file: str, **arguments: object) -> None:
    """Let the server's process build a class of ours; its module is copied into the kit."""
    source = Path(str(sys.modules[made_by.__module__].__file__))
    (server_kit / "local" / "custom").mkdir(exist_ok=True)
    shutil.copyfile(source, server_kit / "local" / "custom" / source.name)
    component = {"id": id, "path": f"{source.stem}.{made_by.__name__}", "args": arguments}
    write_json(server_kit / "local" / file, {"components": [component]})


def run_stores_beside(kit: Path) -> list[Path]:
    """Return the run stores of the server kits that lie beside a kit, as in a trial on this machine."""
    kits = [other for other in sorted(kit.resolve().parent.iterdir()) if (other / "startup" / SERVER_FILE).is_file()]
    stores = [Path(from_file(other / "local" / FILE_NAME) or other / FOLDER) for other in kits]
    return [store for store in stores if store.is_dir()]


def forbid_code(kit: Path, *, allowed: Sequence[str], code: Mapping[str, str]) -> None:
    """Let a server's or a site's kit refuse jobs with code, and build classes of a list only.

    The files are those that the kit's owner copies to change a setting, so a copy has these rules too.

    Args:
        kit: a new kit; a kit of a person has no such rules and stays as it is.
        allowed: paths of the classes that a job may name.
        code: what the kit runs instead: the wheel's name and hashes.
    """
    resources, rights = (kit / "local" / f"{name}.json.default" for name in ("resources", "authorization"))
    if not rights.is_file():
        return
    rules = {"class_allow_list": list(allowed), "class_list_enforcement_mode": "enforce"}
    write_json(resources, read_json(resources) | rules)
    content = read_json(rights)
    content["permissions"] = without_byoc(content["permissions"])
    write_json(rights, content)
    write_json(kit / "local" / CODE_FILE, dict(code))


def without_byoc(permissions: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rights of all roles with ``byoc`` none; a role that may do anything keeps its other rights by name."""
    named = [rights for rights in permissions.values() if isinstance(rights, dict)]
    every = {right for rights in named for right in rights}
    both = {
        role: own if isinstance(own, dict) else dict.fromkeys(sorted(every), own) for role, own in permissions.items()
    }
    return {role: {**rights, "byoc": "none"} for role, rights in both.items()}


def write_data_root(site_kit: Path, data_root: Path) -> None:
    """Write the site's ``local/fedaid_site.json``, the only file that names its data folder."""
    write_json(site_kit / "local" / SITE_FILE, {"data_root": str(data_root.resolve())})


def keep_exceptions_private(site_kit: Path) -> None:
    """Let FLARE log and send the types of the site's exceptions and their places in the code, not their texts.

    A text may hold a name. Provisioning has no setting for it, so the script that starts the kit sets the variable.
    """
    file = site_kit / "startup" / "sub_start.sh"
    first, rest = file.read_text(encoding="utf-8").split("\n", 1)
    file.write_text(f"{first}\nexport {VARIABLE}=true\n{rest}", encoding="utf-8")


def check_before_start(kit: Path) -> None:
    """Let a server's or a site's kit check its certificate before it connects, and write files for its owner only.

    Raises:
        RuntimeError: the start script is not that of FLARE 2.9.
    """
    file = kit / "startup" / "sub_start.sh"
    script = file.read_text(encoding="utf-8")
    if script.count(WORKSPACE_KNOWN) != 1:
        raise RuntimeError(f"the start script is not that of FLARE 2.9: {file}")
    file.write_text(script.replace(WORKSPACE_KNOWN, f"{CHECKED_START}\n{WORKSPACE_KNOWN}"), encoding="utf-8")
    shutil.copyfile(kit_check.__file__, kit / "startup" / CHECK)


def read_json(file: Path) -> dict[str, Any]:
    """Return the object in ``file``."""
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content


def write_json(file: Path, content: dict[str, Any]) -> None:
    """Write ``content`` to ``file`` as indented JSON."""
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
