"""Whether a job that FLARE calls completed has results: FLARE looks at its processes, not at what they did."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from admin.results.run_results import STORE
from fedaid.flare.store.stop_note import read_stop

CONTROLLERS = "fedaid.flare.server."  # in the paths of our controllers' classes
GIVEN = "global"  # the model that an evaluation was given
MEASURES = ("retrieval", "zero_shot", "linear_probe", "loss")  # of a suite; None where a site reports none


def nothing_achieved(run_folder: Path, *, rounds: int = 0) -> str:
    """Return why a job has no results, in one line; empty if it has some, or is not one of ours.

    Args:
        run_folder: the server's run folder of the job, such as ``workspace`` of its download.
        rounds: of the run; 0 for a job without rounds, or if they are not known.
    """
    note = read_stop(run_folder / "app_server")
    if note is not None:
        return " ".join(note.text.split())
    evaluation, results = (read(run_folder / STORE / name) for name in ("evaluation.json", "results.json"))
    if evaluation is not None:
        return no_evaluation(evaluation)
    if results is not None:
        return no_training(results, rounds)
    return "it left no results" if is_ours(run_folder / "app_server") else ""


def is_ours(app: Path) -> bool:
    """Whether the server's controller of a job is one of this project."""
    file = app / "config" / "config_fed_server.json"
    return file.is_file() and CONTROLLERS in file.read_text(encoding="utf-8", errors="replace")


def no_evaluation(found: Mapping[str, Any]) -> str:
    """Return that no site has evaluated the given model, or that none reports a metric, with each site's reason."""
    suites = found.get("models", {}).get(GIVEN, {})
    if not suites:
        why = found.get("left_out", {}).get(GIVEN, {})
        reasons = "; ".join(f"{site}: {reason}" for site, reason in sorted(why.items()))
        return f"no site has evaluated the model ({reasons or 'no site was asked'})"
    withheld = withheld_metrics(suites)
    return f"no site reports a metric: {'; '.join(withheld)}" if len(withheld) == len(suites) else ""


def withheld_metrics(suites: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return each site whose suite has no metric, with its test patients and the least number of a metric."""
    bare = {site: suite for site, suite in suites.items() if not any(suite.get(measure) for measure in MEASURES)}
    return [
        f"site {site} withholds all (test patients: {suite.get('counts', {}).get('test', {}).get('patients')}, "
        f"least_patients: {suite.get('settings', {}).get('least_patients')})"
        for site, suite in sorted(bare.items())
    ]


def no_training(found: Mapping[str, Any], rounds: int) -> str:
    """Return that rounds are missing, or that no site has measured the model."""
    done = int(found.get("round", 0))
    if done < rounds:
        return f"it committed {done} of {rounds} rounds"
    if not found.get("best"):
        return str(found.get("incomplete") or "no site has measured its model")
    return ""


def read(file: Path) -> Mapping[str, Any] | None:
    """Return an object in a file; None if there is none that can be read."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
