"""The report card as plain JSON: every number of the page is one of these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from statistics import mean
from typing import Any

from admin.results.ledger_check import check_ledger
from admin.results.missed_rounds import absent_lines, missed_rows
from admin.results.report import finding_tables as findings
from admin.results.report.data_statement import data_statement
from admin.results.report.films.site_pictures import HOW, HOW_EXAMPLES, SitePictures
from admin.results.report.gains import gains
from admin.results.report.provenance import hashes, run_version, settings, versions
from admin.results.report.recalls import cross_sites, headline
from admin.results.report.run_files import RunFiles
from admin.results.report.weight_moves import weight_moves
from admin.results.run_results import STORE
from fedaid.flare.store.missed_phases import absent_of, missed_of, retries_of
from fedaid.flare.store.run_ledger import LEDGER
from fedaid.flare.store.start_model import START
from fedaid.minmax.norm_clipping import CLIPPED
from fedaid.version import VERSION_KEY

FORMAT = 1


def report_card(files: RunFiles, pictures: SitePictures | None = None) -> dict[str, Any]:
    """Return all sections of the page; a section without its input has a sentence under ``missing``."""
    return {
        "format": FORMAT,
        "run": run_facts(files),
        "headline": headline(files),
        "gains": gains(files),
        "matrix": cross_sites(files),
        "learning": learning(files),
        "weights": weight_moves(files),
        "zero_shot": findings.zero_shot(files),
        "multiclass": findings.multiclass(files),
        "linear_probe": findings.linear_probe(files),
        "calibration": findings.calibration(files),
        "subgroups": findings.subgroups(files),
        "geometry": findings.geometry(files),
        "embedding": dict(pictures.summary) if pictures else {"missing": HOW},
        "examples": {"count": len(pictures.examples)} if pictures and pictures.examples else {"missing": HOW_EXAMPLES},
        "exchange": exchange(files),
        "refused": refusals(files),
        "clipped": clipped(files),
        "missed": missed(files),
        "ledger": ledger(files),
        "data": data_statement(files),
        "settings": settings(files),
        "hashes": hashes(files),
        "versions": versions(),
    }


def run_facts(files: RunFiles) -> dict[str, Any]:
    """Return which run this is; facts that the folder does not hold are null."""
    known = {name: files.meta.get(name) or None for name in ("name", "job_id", "submit_time_iso", "duration", "status")}
    chosen = {"best_round": files.results["best_round"], "selection_metric": files.results.get("selection_metric")}
    trained = {"sites": files.sites, "rounds": files.results["round"], VERSION_KEY: run_version(files)}
    return {**known, **trained, **chosen, START: files.results.get(START)}


SHOWN = ("loss", "recall_at_5")
LAST_ROUNDS = 2
CONVERGED = 1.0  # points of recall at 5 a round


def learning(files: RunFiles) -> dict[str, Any]:
    """Return, for each metric and site, the points (rounds of training, value); 0 rounds is the initial model.

    A round begins with the validation of the previous round's model, so entry r of the history belongs to the model
    after r rounds. The run ends with the validation of the last model. ``still_gaining``: see :func:`still_gaining`.
    """
    moments = [(entry["round"], entry["valid"]) for entry in files.results["history"]]
    last = {site: splits["valid"] for site, splits in files.results.get("last", {}).items()}
    moments.append((files.results["round"], last))
    curves = {
        metric: {
            site: [[number, metrics[site][metric]] for number, metrics in moments if metric in metrics.get(site, {})]
            for site in files.sites
        }
        for metric in SHOWN
    }
    kept = {metric: by_site for metric, by_site in curves.items() if any(by_site.values())}
    rounds = files.results["round"]
    rise = still_gaining(curves["recall_at_5"], rounds)
    return {"curves": kept, "best_round": files.results["best_round"], "rounds": rounds, "still_gaining": rise}


def still_gaining(curves: Mapping[str, Sequence[Sequence[float]]], rounds: int) -> float | None:
    """Return by how many points a round recall at 5 still rose when the run ended; None if it had converged.

    It is the mean over the sites' validation splits and over the last :data:`LAST_ROUNDS` rounds. The run had converged
    if it is below :data:`CONVERGED`, or if the mean did not rise in the last round. None also if it is not known.

    Args:
        curves: site → points (round, recall), with recalls in [0, 1].
        rounds: of the run.
    """
    known = [dict((int(number), value) for number, value in points) for points in curves.values()]
    moments = (rounds, rounds - 1, max(0, rounds - LAST_ROUNDS))
    complete = [recalls for recalls in known if all(number in recalls for number in moments)]
    if not complete or rounds < 1:
        return None
    end, before, start = (100 * mean(recalls[number] for recalls in complete) for number in moments)
    rise = (end - start) / (moments[0] - moments[2])
    return rise if rise >= CONVERGED and end > before else None


def exchange(files: RunFiles) -> dict[str, Any]:
    """Return the bytes of each round by task and direction, and their sums; ``down`` is towards the sites."""
    rounds = files.results.get("bytes", {})
    if not rounds:
        return {"missing": "The run did not record its bytes."}
    rows = [
        {"round": int(number) + 1, "task": task, "down": ways.get("down", 0), "up": ways.get("up", 0)}
        for number, tasks in sorted(rounds.items(), key=lambda item: int(item[0]))
        for task, ways in tasks.items()
    ]
    return {"rows": rows, "down": sum(row["down"] for row in rows), "up": sum(row["up"] for row in rows)}


def ledger(files: RunFiles) -> dict[str, Any]:
    """Return what the run's ledger says, and what does not hold."""
    if not (files.folder / STORE / LEDGER).is_file():
        return {"missing": "The run has no ledger."}
    return asdict(check_ledger(files.folder))


def refusals(files: RunFiles) -> list[dict[str, Any]]:
    """Return every update that the server refused: round, site and the reason in words."""
    return [
        {"round": entry["round"] + 1, "site": site, "reason": reason}
        for entry in files.results["history"]
        for site, reason in sorted(entry.get("refused", {}).items())
    ]


def clipped(files: RunFiles) -> list[dict[str, Any]]:
    """Return every update that was clipped: round, task, site and its factor in the sum."""
    return [
        {"round": entry["round"] + 1, "task": task, "site": site, "factor": factor}
        for entry in files.results["history"]
        for task, factors in entry.get(CLIPPED, {}).items()
        for site, factor in sorted(factors.items())
    ]


def missed(files: RunFiles) -> dict[str, Any]:
    """Return which sites missed which rounds or jobs and why, phases that were tried again, skipped generations."""
    retries = [{"round": one.round + 1, "task": one.phase, "sites": one.sites} for one in retries_of(files.results)]
    skipped: dict[str, str] = files.results.get("skipped_generations", {})
    absent = absent_lines(absent_of(files.results))
    rows = [row._asdict() for row in missed_rows(missed_of(files.results))]
    return {"rows": rows, "retries": retries, "skipped_generations": dict(skipped), "absent": absent}
