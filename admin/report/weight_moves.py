"""The site weights of a run, round by round, and what moved them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from admin.report.run_files import RunFiles
from fedaid.minmax.projection import weight_ceiling
from fedaid.minmax.settings import MinMaxSettings

TOUCH = 1e-6  # share of ρ within which the weights lie on the edge of their ball
STILL = 5e-4  # a move that three decimals do not show


def weight_moves(files: RunFiles) -> dict[str, Any]:
    """The weights after every round, where they started, their ceiling, and the cause of each move in words.

    ``ceiling`` and ``rho`` are null if the job's config is not in the run folder.
    """
    settings = minmax_settings(files)
    sites = list(files.results["history"][0]["site_weights"]) if files.results["history"] else []
    if not sites:
        return {"missing": "The run's history is empty."}
    rho = settings.for_sites(len(sites)) if settings else None
    before = {site: 1 / len(sites) for site in sites}
    rounds = []
    for entry in files.results["history"]:
        rounds.append(move(entry, before, settings=settings, rho=rho))
        before = entry["site_weights"]
    ceiling = weight_ceiling(len(sites), rho) if rho and settings and settings.dual_step_size > 0 else None
    return {"start": {site: 1 / len(sites) for site in sites}, "rounds": rounds, "ceiling": ceiling, "rho": rho}


def minmax_settings(files: RunFiles) -> MinMaxSettings | None:
    """The min-max as the job's controller was told to do it; None if its config is not there."""
    if not files.controller:
        return None
    names = [field.name for field in fields(MinMaxSettings)]
    return MinMaxSettings(**{name: files.controller[name] for name in names if name in files.controller})


def move(
    entry: Mapping[str, Any], before: Mapping[str, float], *, settings: MinMaxSettings | None, rho: float | None
) -> dict[str, Any]:
    """One round: losses heard, weights after it, and why they are what they are."""
    after = entry["site_weights"]
    losses = {site: metrics["loss"] for site, metrics in entry["valid"].items()}
    told = entry.get("cause") or cause(losses, before, after, settings=settings, rho=rho)
    return {"round": entry["round"] + 1, "losses": losses, "site_weights": dict(after), "cause": told}


def cause(
    losses: Mapping[str, float],
    before: Mapping[str, float],
    after: Mapping[str, float],
    *,
    settings: MinMaxSettings | None,
    rho: float | None,
) -> str:
    """Why the weights moved, in words."""
    if settings and settings.initial_site_weights == "pairs":
        return "Weights follow the numbers of training pairs; no min-max."
    if settings and settings.dual_step_size == 0:
        return "Weights stay where they started; no min-max."
    parts = [highest_loss(losses), biggest_move(before, after)]
    silent = sorted(set(after) - set(losses))
    if silent:
        parts.append(f"{', '.join(silent)} did not answer and kept the weight.")
    if rho is not None and on_the_edge(after, rho):
        parts.append(f"The limit held the step: no site may weigh more than {weight_ceiling(len(after), rho):.3f}.")
    return " ".join(part for part in parts if part)


def highest_loss(losses: Mapping[str, float]) -> str:
    """Who had the highest loss."""
    if not losses:
        return "No site answered."
    worst = max(losses, key=lambda site: losses[site])
    return f"{worst} had the highest loss ({losses[worst]:.3f} nats)."


def biggest_move(before: Mapping[str, float], after: Mapping[str, float]) -> str:
    """Who gained and who lost the most weight."""
    moves = {site: after[site] - before.get(site, 0.0) for site in after}
    up, down = max(moves, key=lambda site: moves[site]), min(moves, key=lambda site: moves[site])
    if max(moves[up], -moves[down]) < STILL:
        return "The weights hardly moved."
    return f"{up} gained {moves[up]:+.3f}, {down} gave {moves[down]:+.3f}."


def on_the_edge(weights: Mapping[str, float], rho: float) -> bool:
    """Whether the weights use all of the room that the chi-square ball gives them."""
    sites = len(weights)
    used = sum((sites * weight - 1) ** 2 for weight in weights.values()) / (2 * sites)
    return used >= rho * (1 - TOUCH)
