"""FLARE's proof of concept (POC): a server and named sites on this machine, to try a job before hospitals run it.

python -m admin poc start --workspace poc_workspace/run --sites a b c --data DIR
python -m admin poc status --workspace poc_workspace/run
python -m admin poc stop --workspace poc_workspace/run
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from admin.federation.federation import Federation
from admin.federation.nvflare_command import run_nvflare
from admin.federation.record import Record, new_mark, read_record
from admin.federation.start import connected_sites
from admin.federation.stop import stop_federation
from fedaid.errors import InputError

NAME = "fedaid_poc"
SERVER = "server"
PROJECT_ADMIN = "admin@nvidia.com"
LEAD = "lead@nvidia.com"
DEFAULT_WORKSPACE = Path("poc_workspace/run")


class PocFederation(Federation):
    """A POC whose sites have the names given, started and stopped faster than ``nvflare poc start``, which sleeps.

    The POC itself is ``<workspace>/kits``: use it as NVFLARE_POC_WORKSPACE for the plain ``nvflare poc`` commands.
    """

    def make_kits(self) -> Record:
        """Prepare a POC with ``nvflare poc prepare`` below the workspace."""
        kits = self.workspace / "kits"
        shutil.rmtree(kits, ignore_errors=True)
        project = self.workspace / "project.yml"
        project.write_text(yaml.safe_dump(poc_project(self.sites, self.port), sort_keys=False), encoding="utf-8")
        run_nvflare(
            ["poc", "prepare", "-i", str(project)],
            home=self.workspace / "home",
            extra={"NVFLARE_POC_WORKSPACE": str(kits)},
        )
        return Record(new_mark(), kits / NAME / "prod_00", SERVER, PROJECT_ADMIN, LEAD, self.sites)


def poc_project(sites: Sequence[str], port: int) -> dict[str, object]:
    """Return the project file of a POC with these sites; names and roles are those of ``nvflare poc``."""
    people: list[dict[str, object]] = [{"name": SERVER, "type": "server", "org": "nvidia", "fed_learn_port": port}]
    people += [{"name": site, "type": "client", "org": "nvidia"} for site in sites]
    for name, role in ((PROJECT_ADMIN, "project_admin"), (LEAD, "lead")):
        people.append({"name": name, "type": "admin", "org": "nvidia", "role": role})
    builders: list[dict[str, object]] = [
        {"path": "nvflare.lighter.impl.workspace.WorkspaceBuilder", "args": {"template_file": ["master_template.yml"]}},
        {"path": "nvflare.lighter.impl.static_file.StaticFileBuilder", "args": {"config_folder": "config"}},
        {"path": "nvflare.lighter.impl.cert.CertBuilder"},
        {"path": "nvflare.lighter.impl.signature.SignatureBuilder"},
    ]
    return {"api_version": 3, "name": NAME, "description": "POC", "participants": people, "builders": builders}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 not possible, 2 not running or not connected."""
    options = parse(arguments)
    try:
        if options.verb == "start":
            return start(options)
        return status(options.workspace) if options.verb == "status" else stop(options.workspace)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except (ConnectionError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m admin poc", description="A POC federation on this machine.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("start", "stop", "status"):
        command = verbs.add_parser(verb)
        command.add_argument("--workspace", type=Path, default=DEFAULT_WORKSPACE, help="default: %(default)s")
        if verb == "start":
            command.add_argument("--sites", nargs="+", required=True, help="names of the sites")
            command.add_argument("--data", type=Path, required=True, help="folder with one folder for each site")
            command.add_argument("--port", type=int, help="default: a free one")
    return parser.parse_args(arguments)


def start(options: argparse.Namespace) -> int:
    """Start a federation that outlives this command, and print how to use it."""
    roots = {site: options.data / site for site in options.sites}
    federation = PocFederation(options.workspace, options.sites, data_roots=roots, port=options.port).start()
    print(f"connected: {', '.join(federation.sites)} (127.0.0.1:{federation.port})")
    print(f"submit:    python -m admin submit JOB_FOLDER --kit {federation.lead_kit} --wait")
    print(f"stop:      python -m admin poc stop --workspace {options.workspace}")
    return 0


def status(workspace: Path) -> int:
    """Print which processes run and which sites are connected."""
    record = read_record(workspace.resolve())
    if record is None or not any(process.running() for process in record.processes):
        print("not running")
        return 2
    for process in record.processes:
        print(f"{process.kit}: {'running, process ' + str(process.pid) if process.running() else 'ended'}")
    connected = connected_sites(record.admin_kit, timeout=5.0)
    print(f"connected: {', '.join(sorted(connected)) or 'none'}")
    return 0 if connected == set(record.sites) else 2


def stop(workspace: Path) -> int:
    """Stop the federation."""
    stop_federation(workspace.resolve())
    print("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
