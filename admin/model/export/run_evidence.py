"""What a run measured of its model, as counts and as numbers over the sites: no site by name, no study."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from admin.results.run_results import RunResults

FEWEST_STUDIES = 10
"""A site with fewer studies in a split takes no part in that split's numbers: they would speak of single studies."""

METRICS = {  # which end is the better one
    "recall_at_1": max,
    "recall_at_5": max,
    "recall_at_10": max,
    "batch_accuracy": max,
    "loss": min,
}
WORST = {max: min, min: max}


@dataclass(frozen=True)
class Evidence:
    """A model's numbers over the sites.

    Attributes:
        split: ``validation`` or ``test``.
        rounds: of training.
        sites: that took part.
        pairs: of image and report that were trained on, all sites; None where it is not known.
        measured_sites: sites with enough studies in the split.
        studies: in the split, of those sites.
        metrics: name → (mean, worst) over those sites.
    """

    split: str
    rounds: int
    sites: int
    pairs: int | None
    measured_sites: int
    studies: int
    metrics: Mapping[str, tuple[float, float]]


def evidence_of_state(folder: Path) -> Evidence | None:
    """What ``state.json`` beside a model says of the validation splits; None without such a file."""
    file = folder / "state.json"
    state = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    sites = state.get("metrics", {})
    if not sites or not all(isinstance(site, dict) for site in sites.values()):
        return None
    return evidence("validation", sites.values(), rounds=state["round"], pairs=None)


def evidence_of_run(results: RunResults) -> Evidence:
    """What a finished run says of the test splits."""
    pairs = sum(site.pairs for site in results.sites)
    return evidence("test", [site.test for site in results.sites], rounds=results.best_round, pairs=pairs)


def evidence(split: str, sites: Iterable[Mapping[str, Any]], *, rounds: int, pairs: int | None) -> Evidence:
    """The numbers over sites.

    Args:
        split: ``validation`` or ``test``.
        sites: each site's metrics, ``studies`` among them; empty for a site without such a split.
        rounds: of training.
        pairs: that were trained on.
    """
    given = list(sites)
    measured = [site for site in given if site.get("studies", 0) >= FEWEST_STUDIES]
    known = [name for name in METRICS if measured and all(name in site for site in measured)]
    metrics = {name: over_sites(name, measured) for name in known}  # a split below a batch has no loss
    studies = int(sum(site["studies"] for site in measured))
    return Evidence(split, rounds, len(given), pairs, len(measured), studies, metrics)


def over_sites(name: str, sites: list[Mapping[str, Any]]) -> tuple[float, float]:
    """Mean and worst of a metric; every site counts the same."""
    values = [float(site[name]) for site in sites]
    return sum(values) / len(values), WORST[METRICS[name]](values)
