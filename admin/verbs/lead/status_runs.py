"""List the runs of a server, or those in a folder: rounds, sites, last commit, attempts, state.

  python -m admin status --kit KIT
  python -m admin status build/results      a folder of downloads
  python -m admin status KIT/fedaid_runs    the server's run store
  python -m admin status --kit KIT --delete-ended 30    delete jobs that ended 30 days ago from the job store

A run is alive, complete, failed, or dead: no process works on it. A command below it continues it. The time of the last
commit is known if the run store is on this machine, or a download is in --out.

The exit code is 0 if the runs could be read, whatever their state, 2 if the server cannot be reached.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from admin.verbs.answer import Answer
from admin.verbs.verb_parser import UsageError, existing_folder

if TYPE_CHECKING:
    from admin.federation.job_store import OldJob
    from admin.results.stored_run import StoredRun
    from admin.session.run_status import RunStatus

MOST_DAYS = 36_500
HEADINGS = ("run", "state", "rounds", "attempts", "last commit (UTC)", "sites")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``status``."""
    parser.add_argument("folder", nargs="?", type=existing_folder, metavar="FOLDER", help="a run store, or downloads")
    parser.add_argument("--kit", type=existing_folder, help="startup kit of the lead or the project admin")
    parser.add_argument(
        "--out", type=Path, default=Path("build/results"), help="folder of the downloads (default: %(default)s)"
    )
    parser.add_argument(
        "--delete-ended",
        type=days_of,
        metavar="DAYS",
        help="first delete your jobs from the server that ended more than DAYS days ago; the project admin deletes "
        "everybody's. A job stays until its result is in --out, unless it was aborted or never ran",
    )


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Print the runs as a table, with the reason below a run that is dead or failed."""
    answer.after_interrupt = "the runs go on"
    if options.folder is None and options.kit is None:
        raise UsageError("--kit or FOLDER is missing. See python -m admin status --help")
    from admin.federation.job_store import delete_old, owner_of
    from admin.session.job_process import UNEXPECTED, two_machines, unlike_the_project
    from admin.session.kit_check import warnings
    from admin.session.login import admin_session
    from admin.session.run_status import of_files, server_runs

    stored = runs_of_files(options)
    if options.kit is None:
        runs = [of_files(found) for found in stored.values()]
    else:
        with admin_session(options.kit) as session:
            for problem in warnings(options.kit):
                answer.warn(problem)
            if options.delete_ended is not None:
                owner = owner_of(options.kit)
                show(delete_old(session, days=options.delete_ended, out=options.out, owner=owner), answer)
            runs = server_runs(session, stored, out=options.out)
            alarms, names = two_machines(session), unlike_the_project(session)
            for text in alarms.values():
                answer.warn(f"ALARM: {text}")
            for one in names:
                answer.warn(f"ALARM: {one['text']}" if one["kind"] == UNEXPECTED else one["text"])
            answer.data.update(alarms=alarms, names=names)
    answer.add(table(runs) if runs else "no run found", runs=[asdict(found) for found in runs])


def days_of(text: str) -> float:
    """Return a number of days of at least 0 and at most a century."""
    days = float(text)
    if not 0 <= days <= MOST_DAYS:
        raise argparse.ArgumentTypeError(f"must be a number of days from 0 to {MOST_DAYS}, got {text}")
    return days


def show(found: Iterable[OldJob], answer: Answer) -> None:
    """Print each job when it is deleted from the server's job store, and why others were kept."""
    shown: list[dict[str, object]] = []
    for job in found:
        shown.append(asdict(job))
        answer.add(f"{job.job_id}, ended {job.ended}: {job.kept or 'deleted from the server'}", old_jobs=shown)
    if not shown:
        answer.add("no job to delete", old_jobs=shown)


def runs_of_files(options: argparse.Namespace) -> dict[str, StoredRun]:
    """Return the runs in the given folder, in a run store beside the kit, and in the downloads; the first counts."""
    from admin.federation.kit_settings import run_stores_beside
    from admin.results.stored_run import stored_runs

    beside = [*run_stores_beside(options.kit), options.out] if options.kit else []
    folders = [folder for folder in (options.folder, *beside) if folder is not None]
    found: dict[str, StoredRun] = {}
    for folder in folders:
        found = stored_runs(folder) | found
    return found


def table(runs: Sequence[RunStatus]) -> str:
    """Return the runs as aligned columns."""
    rows = [HEADINGS, *map(row, runs)]
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip() for cells in rows]
    shown = [lines[0]]
    for line, found in zip(lines[1:], runs, strict=True):
        shown += [line, f"  {found.job_id or found.run}: {found.reason}"] if found.reason else [line]
        shown += [f"  without site {site}: {why}" for site, why in sorted(found.absent.items())]
    return "\n".join(shown)


def row(found: RunStatus) -> tuple[str, ...]:
    """Return the cells of a run; a dash stands for what is not known."""
    rounds = f"{'?' if found.rounds is None else found.rounds}/{'?' if found.planned is None else found.planned}"
    last = found.last_commit[:19].replace("T", " ") or "-"
    return (found.run, found.state, rounds, str(found.attempts), last, ", ".join(found.sites) or "-")
