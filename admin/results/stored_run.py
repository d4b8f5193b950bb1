"""What the files of a run say of its state: of a run store at the server, or of downloads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fedaid.flare.store.hash_chain import lines_of
from fedaid.flare.store.missed_phases import absent_of
from fedaid.flare.store.run_folder import FOLDER
from fedaid.flare.store.run_ledger import COMMIT, LEDGER, START
from fedaid.flare.store.run_lock import LOCK, is_alive
from fedaid.flare.store.stop_note import read_stop

RUN = "fedaid_run"  # in meta.json of a job
RESULTS, UNKNOWN = "results.json", "log.txt in the server's kit has the reason"
DOWNLOAD = Path("workspace") / "app_server" / "fedaid"
PLACES = ("", "*", f"{FOLDER}/*", "app_server/fedaid", str(DOWNLOAD), f"*/{DOWNLOAD}")  # of a ledger below a folder


@dataclass(frozen=True)
class StoredRun:
    """The state of a run, as its ledger and the files beside it tell it.

    Attributes:
        name: of the run.
        rounds: committed.
        planned: rounds of the newest job; None if the ledger does not tell.
        sites: of the run.
        last_commit: time of the newest commit, ISO 8601 in UTC; empty before the first.
        attempts: number of jobs.
        finished: whether the results of all rounds are there.
        alive: whether a process on this machine works on the run.
        reason: why the newest job stopped, if its folder tells.
        absent: site → why it has no part in the newest job.
    """

    name: str
    rounds: int
    planned: int | None
    sites: tuple[str, ...]
    last_commit: str
    attempts: int
    finished: bool
    alive: bool
    reason: str = ""
    absent: Mapping[str, str] = field(default_factory=dict)


def stored_runs(folder: Path) -> dict[str, StoredRun]:
    """Return the runs whose ledgers lie in a folder, by name; of several ledgers of one run the longest counts.

    Args:
        folder: a run store, the folder of one run, a folder of downloads, or one download.
    """
    found: dict[str, tuple[int, StoredRun]] = {}
    for ledger in ledgers_below(folder):
        lines = [dict(line) for line in lines_of(ledger)]
        run = read_run(ledger.parent, lines)
        if len(lines) > found.get(run.name, (0, run))[0]:
            found[run.name] = len(lines), run
    return {name: run for name, (_, run) in sorted(found.items())}


def ledgers_below(folder: Path) -> Iterator[Path]:
    """Yield the ledgers in a folder that can be read."""
    for place in PLACES:
        for ledger in sorted(folder.glob(f"{place}/{LEDGER}" if place else LEDGER)):
            with suppress(OSError):
                ledger.read_bytes()
                yield ledger


def read_run(folder: Path, lines: list[dict[str, Any]]) -> StoredRun:
    """Return the run of a ledger; a line that is not as it was written says nothing."""
    starts = [line for line in lines if line.get("kind") == START]
    commits = [line for line in lines if line.get("kind") == COMMIT and isinstance(line.get("round"), int)]
    start, commit = (starts or [{}])[-1], (commits or [{}])[-1]
    planned, note = start.get("rounds"), read_stop(folder.parent)
    return StoredRun(
        name=name_of(folder),
        rounds=int(commit.get("round", 0)),
        planned=planned if isinstance(planned, int) else None,
        sites=tuple(str(site) for site in start.get("sites") or ()),
        last_commit=str(commit.get("time", "")),
        attempts=max((line["attempt"] for line in lines if isinstance(line.get("attempt"), int)), default=0),
        finished=(folder / "finished").is_dir() or (folder / RESULTS).is_file(),
        alive=is_alive(json_of(folder / LOCK)),
        reason=" ".join(note.text.split()) if note else "",
        absent=reasons(folder, start),
    )


def reasons(folder: Path, start: Mapping[str, Any]) -> dict[str, str]:
    """Return site → why it has no part in a job: the ledger has names, the results have reasons."""
    listed, found = start.get("absent"), json_of(folder / RESULTS) or json_of(folder / "finished" / RESULTS)
    with suppress(ValueError):
        known = {one.site: one.reason for one in absent_of(found)}
        return {str(site): known.get(str(site), UNKNOWN) for site in listed} if isinstance(listed, list) else {}
    return {}


def name_of(folder: Path) -> str:
    """Return the name of a run: in a download that of the job's meta.json, else the folder's name."""
    meta = json_of(folder.parents[1] / "meta.json") if folder.name == "fedaid" else {}
    known = meta.get("custom_props")
    return str(known.get(RUN) or folder.name) if isinstance(known, dict) else folder.name


def json_of(file: Path) -> dict[str, Any]:
    """Return the JSON object in a file; empty if there is none."""
    with suppress(OSError, ValueError):
        found = json.loads(file.read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else {}
    return {}
