"""The site weights of a run, round by round, and what moved them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from admin.results.report.run_files import RunFiles
from fedaid.minmax.projection import weight_ceiling
from fedaid.minmax.settings import MinMaxSettings

TOUCH = 1e-6  # share of ρ within which the weights lie on the edge of their ball
STILL = 5e-4  # a move that three decimals do not show
RULES = {
    "none": "Nothing moves the weights: the min-max is off.",
    "pairs": "The weights follow the numbers of training pairs.",
    "fairness": "The weights follow training pairs and losses (q-FedAvg).",
}
WAITING = "No site has told yet what it reaches by itself, so that the weights stay."


def weight_moves(files: RunFiles) -> dict[str, Any]:
    """The weights after every round, where they started, their ceiling, and the cause of each move in words.

    ``start`` and ``ceiling`` are null without a min-max, or if the job's config is not in the run folder.
    """
    history = files.results["history"]
    if not any(entry["site_weights"] for entry in history):
        return {"missing": "There are none: nothing was averaged over the sites."}
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
    """Whether the dual step of a round had to wait for the sites' baselines."""
    told = entry.get("weight_move", {"rule": "unknown"})
    relative = files.controller.get("loss_baseline", "none") != "none"
    return relative and told["rule"] == "dual_step" and not told["baselines"]


def minmax_settings(files: RunFiles) -> MinMaxSettings | None:
    """The min-max as the job's controller was told to do it; None if its config is not there."""
    if not files.controller:
        return None
    names = [field.name for field in fields(MinMaxSettings)]
    return MinMaxSettings(**{name: files.controller[name] for name in names if name in files.controller})


def likely_move(entry: Mapping[str, Any], settings: MinMaxSettings | None, rho: float | None) -> dict[str, Any]:
    """What a run of before the server wrote ``weight_move`` would have written, from its losses and weights."""
    losses = {site: metrics["loss"] for site, metrics in entry["valid"].items()}
    rule = "dual_step"
    if settings and settings.dual_step_size == 0:
        rule = "pairs" if settings.initial_site_weights == "pairs" else "none"
    cut = rho is not None and on_the_edge(entry["site_weights"], rho)
    return {"rule": rule, "losses": losses, "baselines": {}, "cut_by_ball": cut, "raised_by_floor": False}


def on_the_edge(weights: Mapping[str, float], rho: float) -> bool:
    """Whether the weights use all of the room that the chi-square ball gives them."""
    sites = len(weights)
    used = sum((sites * weight - 1) ** 2 for weight in weights.values()) / (2 * sites)
    return used >= rho * (1 - TOUCH)


def in_words(why: Mapping[str, Any], before: Mapping[str, float], after: Mapping[str, float]) -> str:
    """Why the weights moved, as sentences."""
    if why["rule"] in RULES:
        return RULES[why["rule"]]
    parts = [highest(why["losses"], why["baselines"]), biggest_move(before, after)]
    silent = sorted(set(after) - set(why["losses"]))
    if silent:
        parts.append(f"{', '.join(silent)} did not answer and kept the weight.")
    if why["cut_by_ball"]:
        parts.append("The limit on how far weights may part held the step back.")
    if why["raised_by_floor"]:
        parts.append("The least weight was kept for a site that would have had less.")
    return " ".join(parts)


def highest(losses: Mapping[str, float], baselines: Mapping[str, float]) -> str:
    """Who had the highest loss, or the highest loss above the site's own baseline where there are any."""
    driving = {site: max(losses[site] - baselines[site], 0.0) for site in baselines if site in losses} or losses
    if not driving:
        return "No site answered."
    worst = max(driving, key=lambda site: driving[site])
    beyond = " above what it reaches by itself" if baselines else ""
    return f"{worst} had the highest loss{beyond} ({driving[worst]:.3f} nats)."


def biggest_move(before: Mapping[str, float], after: Mapping[str, float]) -> str:
    """Who gained and who gave the most weight."""
    moves = {site: after[site] - before.get(site, 0.0) for site in after}
    up, down = max(moves, key=lambda site: moves[site]), min(moves, key=lambda site: moves[site])
    if max(moves[up], -moves[down]) < STILL:
        return "The weights hardly moved."
    return f"{up} gained {moves[up]:.3f}, {down} gave {-moves[down]:.3f}."
