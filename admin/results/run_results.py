"""The results of a finished run, read from its run folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any

from fedaid.errors import require
from fedaid.sealed_folder import require_whole

STORE = Path("app_server") / "fedaid"


@dataclass(frozen=True)
class SiteResult:
    """The best model at one site.

    Attributes:
        name: of the site.
        pairs: training pairs; 0 if the site sent no update.
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
    """A finished run.

    Attributes:
        rounds: number of rounds.
        best_round: round of the best model; −1 if the sites trained alone.
        sites: in alphabetical order.
        history: one entry per round.
        model: folder of the best model; of the initial one if the sites trained alone.
        last_losses: site → validation loss of the model after the last round; only sites that measured it.
    """

    rounds: int
    best_round: int
    sites: tuple[SiteResult, ...]
    history: tuple[Mapping[str, Any], ...]
    model: Path
    last_losses: Mapping[str, float]

    def tested(self, metric: str) -> list[float]:
        """Return a test metric of all sites that have a test split."""
        return [site.test[metric] for site in self.sites if site.test]


def read_results(run_folder: Path) -> RunResults:
    """Return the results in a server's run folder.

    Args:
        run_folder: the folder with ``app_server``: ``<download>/workspace``, or the simulator's ``simulate_job``.

    Raises:
        InputError: if the folder is not a run folder, the run did not finish, or a file is not as the run wrote it.
    """
    store = run_folder / STORE
    file = store / "results.json"
    is_run, remedy = (run_folder / "app_server").is_dir(), "Give the run folder: <download>/<job>/workspace."
    require(is_run, "run folder", "hold app_server", got="a folder without it", where=str(run_folder), remedy=remedy)
    remedy = "The run did not finish; see log.txt beside app_server."
    require(file.is_file(), "result", "hold results.json", got="a folder without it", where=str(store), remedy=remedy)
    require_whole(store)
    found = json.loads(file.read_text(encoding="utf-8"))
    remedy = f"The run ended before its best model was measured: {found.get('incomplete', 'see log.txt')}"
    require(bool(found["best"]), "result", "hold the metrics of a site", got="0 sites", where=str(file), remedy=remedy)
    sites = tuple(site_result(name, found) for name in sorted(found["best"]))
    last = {site: splits["valid"]["loss"] for site, splits in found.get("last", {}).items()}
    return RunResults(found["round"], found["best_round"], sites, tuple(found["history"]), store / found["model"], last)


def software_differences(run_folder: Path) -> list[str]:
    """Return one line for each version at a site that was not the server's; none for a run that states no software."""
    for name in ("results.json", "evaluation.json"):
        file = run_folder / STORE / name
        if file.is_file():
            found = json.loads(file.read_text(encoding="utf-8")).get("software", {})
            return [str(line) for line in found.get("differences", ())]
    return []


def site_result(name: str, found: Mapping[str, Any]) -> SiteResult:
    """Return one site's part of ``results.json``."""
    splits = found["best"][name]
    weight = found["site_weights"].get(name, nan)
    return SiteResult(name, found["pairs"].get(name, 0), splits["valid"]["loss"], splits.get("test", {}), weight)
