"""The one queue of trials: what the ledger lacks is run, and kept in the ledger as soon as it ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from admin.jobs.methods import LOCAL
from admin.study.compare.trial import Trial
from admin.study.compare.trials import Result, TrialFailed, result_file, run_trials
from fedaid.atomic_file import replace_text
from tests.benchmarks.quality.ledger import Ledger


@dataclass(frozen=True)
class Task:
    """A trial of the queue.

    Attributes:
        trial: to run.
        inputs: each writes something that the trial reads, where it is not there yet.
        all_rounds: whether the ledger keeps the tests of all rounds.
    """

    trial: Trial
    inputs: Sequence[Callable[[], Any]] = ()
    all_rounds: bool = True


def run_queue(
    tasks: Sequence[Task],
    ledger: Ledger,
    folder: Path,
    *,
    processes: int,
    watch: Callable[[Trial, float], None] = lambda *_: None,
    give_up: Callable[[Trial, TrialFailed], None] | None = None,
) -> dict[str, Result]:
    """Run what has no result yet and return the results by the name of the trial, all as the ledger has them.

    Only the ledger lasts. What a trial that is still to run may read of an earlier one, the result of the sites alone,
    is put back into ``folder`` from the ledger.

    Args:
        tasks: in the order in which they are to run; trials of ``local`` run first.
        ledger: with the earlier results.
        folder: of results and logs as the trials write them.
        processes: trials at once.
        watch: see :func:`run_trials`.
        give_up: see :func:`run_trials`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [task for task in tasks if task.trial not in ledger]
    for write in dict.fromkeys(write for task in missing for write in task.inputs):
        write()
    how = {task.trial.name: task.all_rounds for task in tasks}

    def keep(trial: Trial, seconds: float) -> None:
        if trial not in ledger:
            result = json.loads(result_file(trial, folder).read_text(encoding="utf-8"))
            ledger.add(trial, result, all_rounds=how[trial.name])
        watch(trial, seconds)

    alone = [task for task in tasks if task.trial.method == LOCAL and task.trial in ledger] if missing else []
    for task in alone:
        replace_text(result_file(task.trial, folder), json.dumps(ledger.result(task.trial)))
    run_trials([task.trial for task in [*alone, *missing]], folder, processes=processes, watch=keep, give_up=give_up)
    return {task.trial.name: ledger.result(task.trial) for task in tasks if task.trial in ledger}
