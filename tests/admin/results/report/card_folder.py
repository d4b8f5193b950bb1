"""A finished run's folder with all that a report card reads, written by hand: two sites, two rounds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.admin.results_folder import write_run

ROOT = Path(__file__).parents[4]
STORE = Path("app_server") / "fedaid"
LOSSES = {"lake": (2.9, 2.1, 1.5), "north": (2.5, 1.2, 0.5)}
RECALLS = {"lake": (0.2, 0.5, 0.7), "north": (0.3, 0.6, 0.8)}
WEIGHTS = ({"lake": 0.55, "north": 0.45}, {"lake": 0.66, "north": 0.34})


def valid(round_number: int) -> dict[str, dict[str, float]]:
    """What the sites' validation splits say of the model after some rounds."""
    return {
        site: {"loss": LOSSES[site][round_number], "recall_at_5": RECALLS[site][round_number], "studies": 16.0}
        for site in LOSSES
    }


def write_card_run(folder: Path) -> Path:
    """Writes the run and returns its folder."""
    change(write_run(folder), fill)
    shutil.copytree(ROOT / "jobs" / "fedaid_pretrain" / "app" / "config", folder / "app_server" / "config")
    code = folder / "app_server" / "custom" / "fedaid"
    code.mkdir(parents=True)
    (code / "errors.py").write_text("# shipped\n")
    (folder / STORE / "best-00002" / "model.safetensors").write_bytes(b"weights")
    (folder / "meta.json").write_text(json.dumps({"job_id": "1234", "name": "fedaid_pretrain"}))
    return folder


def fill(results: dict[str, Any]) -> None:
    """Puts the history, the bytes, a refusal and skipped studies into a run's results."""
    results["history"] = [
        {"round": n, "site_weights": WEIGHTS[n], "valid": valid(n), "refused": {}} for n in range(len(WEIGHTS))
    ]
    results["history"][1]["refused"] = {"north": "an update of 3.0 norms above the others"}
    results["history"][1]["clipped"] = {"pretrain": {"lake": 0.25}}
    silent = {"phase": "align", "site": "lake", "reason": "silent", "text": ""}
    results["missed"] = [{"round": n, **silent} for n in range(2)]
    results["retries"] = [{"round": 1, "phase": "pretrain", "sites": ["north"]}]
    results["skipped_generations"] = {"round-00001": "model.safetensors has another sha256"}
    results["last"] = {site: {"valid": metrics} for site, metrics in valid(2).items()}
    results["site_weights"] = WEIGHTS[1]
    results["skipped"] = {"lake": {"image-missing": 12, "report-empty": 3}, "north": {}}
    results["bytes"] = {"0": {"align": {"down": 2_000_000, "up": 500}}, "1": {"align": {"down": 3_000_000, "up": 700}}}


def change(folder: Path, how: Callable[[dict[str, Any]], None]) -> Path:
    """Changes a run's results in place; returns its folder."""
    file = folder / STORE / "results.json"
    results = json.loads(file.read_text())
    how(results)
    file.write_text(json.dumps(results))
    return folder


def without(*names: str) -> Callable[[dict[str, Any]], None]:
    """A change that takes parts away."""

    def how(results: dict[str, Any]) -> None:
        for name in names:
            del results[name]

    return how
