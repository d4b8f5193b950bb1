"""A run's measurements of its model, as counts and metrics over sites; they name no site and no study."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from admin.results.run_results import RunResults

FEWEST_STUDIES = 10
"""A split's metrics exclude sites with fewer studies, because they would describe single studies."""

METRICS = {  # metric → function that picks the better value
    "recall_at_1": max,
    "recall_at_5": max,
    "recall_at_10": max,
    "batch_accuracy": max,
    "loss": min,
}
WORST = {max: min, min: max}


@dataclass(frozen=True)
class Evidence:
    """A model's metrics over the sites.

    Attributes:
        split: ``validation`` or ``test``.
        rounds: number of training rounds.
        sites: number of sites in the run.
        pairs: number of training pairs at all sites; None if unknown.
        measured_sites: number of sites with enough studies in the split.
        studies: number of those sites' studies in the split.
        metrics: name → (mean, worst) over those sites.
    """

    split: str
    rounds: int
    sites: int
    pairs: int | None
    measured_sites: int
    studies: int
    metrics: Mapping[str, tuple[float, float]]


def state_of(folder: Path) -> dict[str, Any]:
    """Return the ``state.json`` beside a model; empty without such a file."""
    file = folder / "state.json"
    state: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return state


def evidence_of_state(folder: Path) -> Evidence | None:
    """Return the validation metrics in the ``state.json`` beside a model, or None without such a file."""
    state = state_of(folder)
    sites = state.get("metrics", {})
    if not sites or not all(isinstance(site, dict) for site in sites.values()):
        return None
    return evidence("validation", sites.values(), rounds=state["round"], pairs=None)


def evidence_of_run(results: RunResults) -> Evidence:
    """Return the test metrics of a finished run."""
    pairs = sum(site.pairs for site in results.sites)
    return evidence("test", [site.test for site in results.sites], rounds=results.best_round, pairs=pairs)


def evidence(split: str, sites: Iterable[Mapping[str, Any]], *, rounds: int, pairs: int | None) -> Evidence:
    """Return the metrics over sites.

    Args:
        split: ``validation`` or ``test``.
        sites: each site's metrics, including ``studies``; empty for a site without this split.
        rounds: number of training rounds.
        pairs: number of training pairs; None if unknown.
    """
    given = list(sites)
    measured = [site for site in given if site.get("studies", 0) >= FEWEST_STUDIES]
    known = [name for name in METRICS if measured and all(name in site for site in measured)]
    metrics = {name: over_sites(name, measured) for name in known}  # a split smaller than a batch has no loss
    studies = int(sum(site["studies"] for site in measured))
    return Evidence(split, rounds, len(given), pairs, len(measured), studies, metrics)


def over_sites(name: str, sites: list[Mapping[str, Any]]) -> tuple[float, float]:
    """Return mean and worst value of a metric; every site counts equally."""
    values = [float(site[name]) for site in sites]
    return sum(values) / len(values), WORST[METRICS[name]](values)
