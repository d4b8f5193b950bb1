"""The site weights of a run, round by round, and why they changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from admin.results.report.run_files import RunFiles
from fedaid.minmax.projection import weight_ceiling
from fedaid.minmax.settings import MinMaxSettings

TOUCH = 1e-6  # relative tolerance to decide that the weights are at the edge of the chi-square ball
STILL = 5e-4  # smallest change that three decimals show
RULES = {
    "none": "The weights are constant: the min-max is off.",
    "pairs": "The weights are proportional to the numbers of training pairs.",
    "fairness": "The weights depend on training pairs and losses (q-FedAvg).",
}
WAITING = "The weights are unchanged: no site has sent its baseline loss yet."


def weight_moves(files: RunFiles) -> dict[str, Any]:
    """Return the weights after every round, the cause of each change in words, the initial weights and the ceiling.

    ``start`` and ``ceiling`` are null without a min-max, or if the run folder has no config of the job.
    """
    history = files.results["history"]
    if not any(entry["site_weights"] for entry in history):
        return {"missing": "There are no site weights: the sites trained alone."}
    equal = {site: 1 / len(files.sites) for site in files.sites}
    settings = minmax_settings(files)
    rho = settings.for_sites(len(equal)) if settings and settings.dual_step_size > 0 else None
    rounds, before = [], equal
    for entry in history:
        why = entry.get("weight_move") or likely_move(entry, settings, rho)
        cause = WAITING if waits(entry, files) else in_words(why, before, entry["site_weights"])
        rounds.append({"round": entry["round"] + 1, "site_weights": dict(entry["site_weights"]), "cause": cause})
        before = entry["site_weights"]
    limits = {"start": equal, "ceiling": weight_ceiling(len(equal), rho)} if rho else {"start": None, "ceiling": None}
    return {"rounds": rounds, **limits}


def waits(entry: Mapping[str, Any], files: RunFiles) -> bool:
    """Return whether the dual step of a round had to wait for the sites' baselines."""
    move = entry.get("weight_move", {"rule": "unknown"})
    relative = files.controller.get("loss_baseline", "none") != "none"
    return relative and move["rule"] == "dual_step" and not move["baselines"]


def minmax_settings(files: RunFiles) -> MinMaxSettings | None:
    """Return the min-max settings of the job's controller; None if the run folder has no config."""
    if not files.controller:
        return None
    names = [field.name for field in fields(MinMaxSettings)]
    return MinMaxSettings(**{name: files.controller[name] for name in names if name in files.controller})


def likely_move(entry: Mapping[str, Any], settings: MinMaxSettings | None, rho: float | None) -> dict[str, Any]:
    """Return the ``weight_move`` of a run by an older version that did not write it, from its losses and weights."""
    losses = {site: metrics["loss"] for site, metrics in entry["valid"].items()}
    rule = "dual_step"
    if settings and settings.dual_step_size == 0:
        rule = "pairs" if settings.initial_site_weights == "pairs" else "none"
    cut = rho is not None and on_the_edge(entry["site_weights"], rho)
    return {"rule": rule, "losses": losses, "baselines": {}, "cut_by_ball": cut, "raised_by_floor": False}


def on_the_edge(weights: Mapping[str, float], rho: float) -> bool:
    """Return whether the weights are at the edge of the chi-square ball."""
    sites = len(weights)
    used = sum((sites * weight - 1) ** 2 for weight in weights.values()) / (2 * sites)
    return used >= rho * (1 - TOUCH)


def in_words(why: Mapping[str, Any], before: Mapping[str, float], after: Mapping[str, float]) -> str:
    """Return why the weights changed, as sentences."""
    if why["rule"] in RULES:
        return RULES[why["rule"]]
    parts = [highest(why["losses"], why["baselines"]), biggest_move(before, after)]
    silent = sorted(set(after) - set(why["losses"]))
    if silent:
        parts.append(f"No answer from {', '.join(silent)} (weight unchanged).")
    if why["cut_by_ball"]:
        parts.append("The step was shortened: the weights reached their greatest allowed difference.")
    if why["raised_by_floor"]:
        parts.append("A weight below the lower limit was raised to it.")
    return " ".join(parts)


def highest(losses: Mapping[str, float], baselines: Mapping[str, float]) -> str:
    """Return which site had the highest loss; with baselines, the highest loss above its own baseline."""
    driving = {site: max(losses[site] - baselines[site], 0.0) for site in baselines if site in losses} or losses
    if not driving:
        return "No site answered."
    worst = max(driving, key=lambda site: driving[site])
    beyond = " above its own baseline" if baselines else ""
    return f"{worst} had the highest loss{beyond} ({driving[worst]:.3f} nats)."


def biggest_move(before: Mapping[str, float], after: Mapping[str, float]) -> str:
    """Return which site gained and which lost the most weight."""
    moves = {site: after[site] - before.get(site, 0.0) for site in after}
    up, down = max(moves, key=lambda site: moves[site]), min(moves, key=lambda site: moves[site])
    if max(moves[up], -moves[down]) < STILL:
        return "The weights hardly changed."
    return f"{up} gained {moves[up]:.3f}, {down} lost {-moves[down]:.3f}."
