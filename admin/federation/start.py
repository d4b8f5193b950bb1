"""Start the processes of a federation and wait until its sites are connected."""

from __future__ import annotations

import socket
import time
from pathlib import Path

from admin.federation.kit_process import KitProcess, site_threads, start_kit
from admin.federation.record import Record, write_record
from admin.session.login import admin_session

CONNECT_SECONDS = 60.0
POLL_SECONDS = 0.2


def start_processes(record: Record, *, workspace: Path) -> Record:
    """Start the server's kit and every site's; write the record after each start, and return the last one."""
    logs = console_logs(workspace)
    logs.mkdir(exist_ok=True)
    write_record(workspace, record)
    processes: list[KitProcess] = []
    for name in (record.server, *record.sites):
        threads = 1 if name == record.server else site_threads(len(record.sites))
        kit, log = record.kits / name, logs / f"{name}.txt"
        processes.append(start_kit(kit, log=log, mark=record.mark, threads=threads))
        record = record.with_processes(processes)
        write_record(workspace, record)
    return record


def console_logs(workspace: Path) -> Path:
    """Return the folder of the console logs, one for each kit."""
    return workspace / "console"


def wait_until_connected(record: Record, *, port: int, logs: Path, seconds: float = CONNECT_SECONDS) -> None:
    """Return when the server lists every site.

    Raises:
        ConnectionError: a process ended, or a site did not connect in time; the message names the console log.
    """
    deadline = time.monotonic() + seconds
    while not listening(port):
        require_starting(record, logs=logs, deadline=deadline, missing=[record.server])
        time.sleep(POLL_SECONDS)
    with admin_session(record.admin_kit, timeout=seconds) as session:
        while missing := set(record.sites) - {client.name for client in session.get_connected_client_list()}:
            require_starting(record, logs=logs, deadline=deadline, missing=sorted(missing))
            time.sleep(POLL_SECONDS)


def listening(port: int) -> bool:
    """Return whether a process accepts connections on this loopback port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0):
            return True
    except OSError:
        return False


def require_starting(record: Record, *, logs: Path, deadline: float, missing: list[str]) -> None:
    """Raise ConnectionError if a started process has ended or the deadline has passed."""
    ended = [process.kit for process in record.processes if process.running() is None]
    if ended:
        raise ConnectionError(f"{ended[0]} ended while starting: see {logs / ended[0]}.txt")
    if time.monotonic() > deadline:
        raise ConnectionError(f"not connected in time: {', '.join(missing)}; see {logs}")


def connected_sites(admin_kit: Path, *, timeout: float) -> set[str]:
    """Return the names of the sites that the server lists; an empty set while it cannot be reached."""
    try:
        with admin_session(admin_kit, timeout=timeout) as session:
            return {client.name for client in session.get_connected_client_list()}
    except ConnectionError:
        return set()
