"""Run trials in parallel processes; a trial that has a result is not run again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from admin.jobs.methods import LOCAL
from admin.results.failure import failure_reason
from admin.study.compare.trial import Trial

Result = Mapping[str, Any]


class TrialFailed(RuntimeError):
    """A trial ended without a result."""


def run_trials(
    trials: Sequence[Trial],
    folder: Path,
    *,
    processes: int,
    watch: Callable[[Trial, float], None] = lambda *_: None,
    give_up: Callable[[Trial, TrialFailed], None] | None = None,
) -> dict[str, Result]:
    """Run the trials and return their results by name.

    ``folder`` stores a result under the trial's name, and the name changes with the configuration. An interrupted
    comparison therefore continues where it stopped. Trials of ``local`` run first: others may need their results.

    Args:
        trials: the trials to run.
        folder: folder of the results; made if absent.
        processes: number of trials at once, each on one thread.
        watch: called with a trial that has ended and the seconds of its training.
        give_up: called with a trial that failed, while the others continue; None stops at the first failure.

    Raises:
        TrialFailed: a trial failed; the message names it and its log. Earlier results stay in ``folder``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    alone = {group(trial): str(result_file(trial, folder)) for trial in trials if trial.method == LOCAL}
    found: dict[str, Result] = {}
    first = [trial for trial in trials if trial.method == LOCAL]
    then = [replace(trial, alone=alone.get(group(trial))) for trial in trials if trial.method != LOCAL]
    for wave in (first, then):
        for trial, result in finished(wave, folder, processes=processes):
            if isinstance(result, TrialFailed):
                if give_up is None:
                    raise result
                give_up(trial, result)
            else:
                found[trial.name] = result
                watch(trial, result["seconds"])
    return found


def group(trial: Trial) -> tuple[str, int]:
    """Return the data and seed that compared trials share."""
    return trial.data, trial.seed


def finished(trials: Sequence[Trial], folder: Path, *, processes: int) -> Iterator[tuple[Trial, Result | TrialFailed]]:
    """Yield each trial with its result or its failure, as the trials end."""
    with ThreadPoolExecutor(processes) as pool:
        running = {pool.submit(result_of, trial, folder): trial for trial in trials}
        try:
            for future in as_completed(running):
                yield running[future], outcome_of(future)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def outcome_of(future: Future[Result]) -> Result | TrialFailed:
    """Return the result of a trial that has ended, or its failure."""
    try:
        return future.result()
    except TrialFailed as failure:
        return failure


def result_file(trial: Trial, folder: Path) -> Path:
    """Return the file of a trial's result."""
    return folder / f"{trial.name}.json"


def result_of(trial: Trial, folder: Path) -> Result:
    """Return a trial's result from its file; run the trial in a separate process if the file is absent."""
    file = result_file(trial, folder)
    if not file.exists():
        source, log = file.with_suffix(".trial"), file.with_suffix(".log")
        source.write_text(json.dumps(asdict(trial)), encoding="utf-8")
        command = [sys.executable, "-m", "admin.study.compare.trial", str(source), str(file)]
        one_thread = os.environ | {"OMP_NUM_THREADS": "1"}
        with log.open("w", encoding="utf-8") as messages:
            done = subprocess.run(command, env=one_thread, stderr=messages, check=False)  # noqa: S603 - our own module
        if done.returncode or not file.exists():
            reason = failure_reason(log) or f"exit code {done.returncode}"
            raise TrialFailed(f"trial {trial.name} failed: {reason} (see {log})")
    result: Result = json.loads(file.read_text(encoding="utf-8"))
    return result
