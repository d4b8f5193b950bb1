"""Whether the fast path costs quality: kept teacher embeddings against a teacher that sees each view anew."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from admin.study.compare.comparison import by_method
from admin.study.compare.summary import summarise
from tests.benchmarks.quality.__main__ import LEDGERS, OUT
from tests.benchmarks.quality.ledger import Ledger
from tests.benchmarks.quality.plan import LONG, Size, tasks_of
from tests.benchmarks.quality.queue import run_queue

FAST, SLOW = "fedaid", "fedaid_fresh_teacher"
MARGIN = 2.0  # points of recall that the fast path may cost


def fast_path_quality(size: Size = LONG, folder: Path = OUT.parent / "quality") -> dict[str, Any]:
    """Recall at 5 of the fast path minus that of the slow one in points, on the twin of ``make bench-quality``.

    The trials are those of that benchmark, with its seeds; what has run there is not run again. ``difference`` has
    low, mid, high over patients and seeds for the mean and the worst site.
    """
    tasks = tasks_of("twin", size, (FAST, SLOW), folder=folder)
    processes = len(os.sched_getaffinity(0))
    results = run_queue(tasks, Ledger(LEDGERS / "twin.jsonl"), folder / "trials", processes=processes)
    found = summarise(by_method([task.trial for task in tasks], results), bases=(SLOW,))
    apart = found[FAST]["difference_to_" + SLOW]
    times = {name: found[name]["seconds"] for name in (FAST, SLOW)}
    return {"difference": {over: apart[over] for over in ("mean", "worst")}, "seconds": times, "methods": found}


def not_worse(difference: dict[str, dict[str, float]]) -> bool | None:
    """Whether the true differences are not more than the margin below zero, as far as their intervals tell.

    False if one interval lies wholly below the margin; None if one holds the margin, so that it cannot tell.
    """
    if any(interval["high"] < -MARGIN for interval in difference.values()):
        return False
    return True if all(interval["low"] >= -MARGIN for interval in difference.values()) else None
