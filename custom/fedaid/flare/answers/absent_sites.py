"""Which sites have no part in a job, and why: FLARE starts it with those that took it and names no other."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

from fedaid.flare.answers.attendance import LONGEST_TEXT
from fedaid.flare.store.missed_phases import AbsentSite
from fedaid.flare.wire.replies import printable

FILE = "fedaid_absent.json"  # in the server's folder of the job, written by the server's parent process
LEFT = "the job was packaged with --without, so the run goes on without it"


def absent_sites(
    run_folder: Path | None, *, present: Collection[str], without: Iterable[str], attempt: int
) -> list[AbsentSite]:
    """Return the sites without a part in this job, in the order of their names.

    Args:
        run_folder: the server's folder of the job; None if there is none, as in a simulation in one process.
        present: names of the sites that take part.
        without: names of the sites that left the run.
        attempt: number of the job in its run, from 1.
    """
    reasons = {site: why for site, why in noted(run_folder).items() if site not in present}
    reasons |= dict.fromkeys(without, LEFT)
    return [AbsentSite(attempt, site, reasons[site]) for site in sorted(reasons)]


def noted(run_folder: Path | None) -> dict[str, str]:
    """Return site → reason as the server's parent process noted it; empty if it did not."""
    with suppress(OSError, ValueError):
        found = json.loads((run_folder / FILE).read_text(encoding="utf-8")) if run_folder else {}
        if isinstance(found, dict):
            return {site: " ".join(printable(str(why)).split())[:LONGEST_TEXT] for site, why in found.items()}
    return {}
