"""Stop a federation: ask it to shut down, then end the remaining processes by id."""

from __future__ import annotations

import sys
from pathlib import Path

from nvflare.fuel.flare_api.api_spec import JobNotDone

from admin.federation.kit_process import end, family, wait_for
from admin.federation.record import Record, read_record, write_record
from admin.session.login import admin_session
from fedaid.errors import InputError

GRACE_SECONDS = 3.0  # an idle process needs some 5 s to leave and sleeps for most of them


def stop_federation(workspace: Path, *, grace: float = GRACE_SECONDS) -> None:
    """Shut down the federation that ``workspace`` records, then end the remaining processes by id.

    Args:
        workspace: the folder with which the federation was started.
        grace: seconds that the processes get to leave by themselves; 0 ends them at once.

    Raises:
        InputError: the workspace has no record of a federation.
        RuntimeError: a process survived SIGKILL.
    """
    record = recorded_federation(workspace)
    known = family(record.processes, mark=record.mark)
    running = bool(record.processes) and all(process.running() for process in record.processes)
    try:
        if grace > 0 and running and ask_to_leave(record.admin_kit):
            wait_for(known, seconds=grace)
    finally:
        survivors = end(known | family(record.processes, mark=record.mark))
        write_record(workspace, record.with_processes([p for p in record.processes if p.pid in survivors]))
    if survivors:
        raise RuntimeError(f"processes {survivors} survived SIGKILL")


def recorded_federation(workspace: Path) -> Record:
    """Return the record of ``workspace``, or raise if it has no record."""
    record = read_record(workspace)
    if record is None:
        raise InputError(
            "workspace",
            "hold a federation",
            got="no federation.json",
            where=str(workspace),
            remedy="Give the folder that it was started with.",
        )
    return record


def ask_to_leave(admin_kit: Path) -> bool:
    """Ask the server to shut down with all sites, and return whether it agreed; it refuses while a job runs."""
    try:
        with admin_session(admin_kit, timeout=3.0) as session:
            session.shutdown("all", wait=False)
    except JobNotDone:
        print("a job is still running: its processes are ended with the federation", file=sys.stderr)
        return False
    except Exception as error:  # the caller ends the processes after any error of FLARE's client
        print(f"the server did not shut down ({error}): its processes are ended", file=sys.stderr)
        return False
    return True
