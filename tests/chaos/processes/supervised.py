"""Runs a job with ``python -m admin run`` while a fault strikes, and compares its end with that of another run."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from admin.federation.federation import Federation
from admin.results.run_results import STORE
from tests.chaos.outcome import Outcome
from tests.chaos.processes.faulty_job import faulty_job
from tests.integration.test_continued_run import end_of

SECONDS = 420.0  # for one run with its fault, on a busy machine
Strike = Callable[[Path, Path], None]  # of the fault's folder and the run's store: what another process does meanwhile


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    Attributes:
        digest: sha256 of its model, best model, site weights and history; empty if it has no result.
        recovery: seconds from the fault to the next committed round; None without one.
        lost: committed rounds that were committed again, or were gone.
        said: what the supervisor said.
    """

    digest: str
    recovery: float | None
    lost: int
    said: str


@dataclass(frozen=True)
class Runs:
    """The runs of one federation.

    Args:
        federation: started.
        folder: of the jobs and results.
    """

    federation: Federation
    folder: Path

    def run(
        self, name: str, strike: Strike | None = None, *, changes: dict[str, Any] | None = None, **fault: Any
    ) -> Ended:
        """Run one job to its end and remember how it ended."""
        run = name.replace(" ", "-")
        sites = len(self.federation.sites)
        job = faulty_job(self.folder, run, sites=sites, changes=changes, **fault)
        store = self.federation.record.server_kit / "fedaid_runs" / run
        words = ["run", str(job), "--kit", str(self.federation.lead_kit), "--out", str(self.folder / "out")]
        command = [sys.executable, "-m", "admin", *words, "--format", "json", "--patience", "180"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                if strike:
                    strike(self.folder / run / "fault", store)
                out, said = process.communicate(timeout=SECONDS)
            except (TimeoutError, subprocess.TimeoutExpired):
                process.kill()
                said = f"not done after {SECONDS} s: {process.communicate()[1]}"
            except BaseException:
                process.kill()
                raise
        result = json.loads(out)["data"]["result"] if process.returncode == 0 else None
        (self.folder / run / "said.txt").write_text(said)
        ended = judged(result, store, self.folder / run / "fault" / "done", said)
        seen = f"recovery {ended.recovery} s, committed again {ended.lost}"
        print(f"  {name}: {ended.digest[:12] or 'no result'}, {seen}", flush=True)
        return ended


def judged(result: str | None, store: Path, done: Path, said: str) -> Ended:
    """How a run ended, by its result and by the ledger of its store."""
    digest = ""
    if result:
        digest = digest_of(Path(result) / "workspace" / STORE)
    commits = [line for line in ledger_of(store) if line["kind"] == "commit"]
    struck = float(done.read_text()) if done.exists() else None
    times = [datetime.fromisoformat(line["time"]).timestamp() for line in commits if "recovered" not in line]
    after = [time for time in times if struck is not None and time > struck]
    again = len(commits) - len({line["round"] for line in commits})
    return Ended(digest, round(after[0] - struck, 1) if after and struck else None, again, said)


def ledger_of(store: Path) -> list[dict[str, Any]]:
    """The lines of a run's ledger; empty if no job of the run has started."""
    file = store / "ledger.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def digest_of(store: Path) -> str:
    """One hash of all that must be equal at the end of a run."""
    results, tensors = end_of(store)
    digest = hashlib.sha256(json.dumps(results, sort_keys=True).encode())
    for name, content in sorted(tensors.items()):
        digest.update(name.encode() + content)
    return digest.hexdigest()


def outcome(place: str, expected: Ended, struck: dict[str, Ended]) -> Outcome:
    """What a series gave: a run with a fault survives if it ends as the run without one."""
    failures = [why for name, ended in struck.items() if (why := failure(name, ended, expected))]
    times = [ended.recovery for ended in struck.values() if ended.recovery is not None]
    hashes = {ended.digest for ended in (expected, *struck.values()) if ended.digest}
    return Outcome(
        place=place,
        injected=len(struck),
        survived=len(struck) - len(failures),
        rounds_lost=sum(ended.lost for ended in struck.values()),
        distinct_hashes=len(hashes),
        recovery_seconds=max(times, default=None),
        failures=tuple(failures),
    )


def failure(name: str, ended: Ended, expected: Ended) -> str:
    """Why a run did not survive its fault; empty if it did."""
    if ended.recovery is None:
        return f"{name}: the fault did not strike, or no round was committed after it"
    if not ended.digest:
        return f"{name}: no result: {ended.said[-500:]}"
    return "" if ended.digest == expected.digest else f"{name}: other bits than a run without a fault"
