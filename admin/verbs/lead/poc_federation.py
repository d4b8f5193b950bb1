"""Start, look at and stop FLARE's proof of concept (POC): a server and named sites on this machine.

python -m admin poc start --sites a b c --data DIR
python -m admin poc status
python -m admin poc stop
"""

from __future__ import annotations

import argparse
from pathlib import Path

from admin.verbs.answer import Answer
from admin.verbs.verb_parser import add_format, existing_folder

WORKSPACE = Path("poc_workspace/run")
ACTIONS = {
    "start": "start a federation that continues after this command",
    "status": "print which processes run and which sites are connected; exit code 2 if not all",
    "stop": "stop the federation",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``poc``."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, does in ACTIONS.items():
        action = actions.add_parser(name, help=does, description=does, allow_abbrev=False)
        add_format(action)
        action.add_argument("--workspace", type=Path, default=WORKSPACE, help="default: %(default)s")
        if name == "start":
            action.add_argument("--sites", nargs="+", required=True, help="names of the sites")
            action.add_argument(
                "--data", type=existing_folder, required=True, help="folder with one folder for each site"
            )
            action.add_argument("--port", type=int, help="of the server (default: a free one)")


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Start, look at or stop the federation."""
    {"start": start, "status": status, "stop": stop}[options.action](options, answer)


def start(options: argparse.Namespace, answer: Answer) -> None:
    """Start a federation that continues after this command, and print how to use it."""
    answer.after_interrupt = "the federation was not started"
    from admin.federation.poc import PocFederation

    roots = {site: options.data / site for site in options.sites}
    federation = PocFederation(options.workspace, options.sites, data_roots=roots, port=options.port).start()
    answer.add(
        f"connected: {', '.join(federation.sites)} (127.0.0.1:{federation.port})\n"
        f"submit:    python -m admin submit JOB_FOLDER --kit {federation.lead_kit} --wait\n"
        f"stop:      python -m admin poc stop --workspace {options.workspace}",
        connected=list(federation.sites),
        port=federation.port,
        kit=federation.lead_kit,
    )


def status(options: argparse.Namespace, answer: Answer) -> None:
    """Print which processes run and which sites are connected.

    Raises:
        ConnectionError: nothing runs, or a site is not connected.
    """
    from admin.federation.record import read_record
    from admin.federation.start import connected_sites

    record = read_record(options.workspace.resolve())
    if record is None or not any(process.running() for process in record.processes):
        raise ConnectionError(f"no federation runs in {options.workspace}. Start one: python -m admin poc start")
    for process in record.processes:
        answer.add(f"{process.kit}: {'running, process ' + str(process.pid) if process.running() else 'ended'}")
    connected = sorted(connected_sites(record.admin_kit, timeout=5.0))
    running = {process.kit: process.running() for process in record.processes}
    answer.add(f"connected: {', '.join(connected) or '-'}", running=running, connected=connected)
    if missing := sorted(set(record.sites) - set(connected)):
        raise ConnectionError(f"not connected: {', '.join(missing)}. See their log.txt in {record.kits}")


def stop(options: argparse.Namespace, answer: Answer) -> None:
    """Stop the federation."""
    answer.after_interrupt = "the federation may still run: repeat the command"
    from admin.federation.stop import stop_federation

    stop_federation(options.workspace.resolve())
    answer.add("stopped", stopped=options.workspace)
