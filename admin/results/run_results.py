"""What a finished run ended with, read from the folder that was downloaded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any

from fedaid.errors import require

STORE = Path("app_server") / "fedaid"


@dataclass(frozen=True)
class SiteResult:
    """The best model at one site.

    Attributes:
        name: of the site.
        pairs: training pairs; 0 if the site gave no update.
        loss: validation loss in nats.
        test: retrieval on the test split, metric → value in [0, 1]; empty if the site has no test split.
        site_weight: α after the last round; NaN where the sites trained alone.
    """

    name: str
    pairs: int
    loss: float
    test: Mapping[str, float]
    site_weight: float

    @property
    def chance_at_5(self) -> float:
        """Recall at 5 of a blind guess among the site's test studies."""
        return min(1.0, 5 / self.test["studies"]) if self.test else float("nan")


@dataclass(frozen=True)
class RunResults:
    """A finished run: its sites in the order of names, the history by round, and where the best model lies.

    Of a run in which the sites trained alone ``best_round`` is −1, and ``model`` is the one that they started from.
    ``last_losses`` are the validation losses of the model after the last round at the sites that measured it.
    """

    rounds: int
    best_round: int
    sites: tuple[SiteResult, ...]
    history: tuple[Mapping[str, Any], ...]
    model: Path
    last_losses: Mapping[str, float]

    def tested(self, metric: str) -> list[float]:
        """A test metric of all sites that have a test split."""
        return [site.test[metric] for site in self.sites if site.test]


def read_results(run_folder: Path) -> RunResults:
    """The results in a server's run folder.

    Args:
        run_folder: the folder with ``app_server``: ``<download>/workspace``, or the simulator's ``simulate_job``.

    Raises:
        InputError: if the run did not get to its end.
    """
    store = run_folder / STORE
    file = store / "results.json"
    remedy = "The run did not finish; see log.txt beside app_server."
    require(file.is_file(), "result", "hold results.json", got="none", where=str(store), remedy=remedy)
    found = json.loads(file.read_text(encoding="utf-8"))
    remedy = f"The run ended before its best model was measured: {found.get('incomplete', 'see log.txt')}"
    require(bool(found["best"]), "result", "hold the metrics of a site", got="none", where=str(file), remedy=remedy)
    sites = tuple(site_result(name, found) for name in sorted(found["best"]))
    last = {site: splits["valid"]["loss"] for site, splits in found.get("last", {}).items()}
    return RunResults(found["round"], found["best_round"], sites, tuple(found["history"]), store / found["model"], last)


def site_result(name: str, found: Mapping[str, Any]) -> SiteResult:
    """One site's part of ``results.json``."""
    splits = found["best"][name]
    weight = found["site_weights"].get(name, nan)
    return SiteResult(name, found["pairs"].get(name, 0), splits["valid"]["loss"], splits.get("test", {}), weight)
