"""A finished run's folder, written by hand, for tests of what reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SITES = ("lake", "north")


def splits(loss: float, recall: float) -> dict[str, dict[str, float]]:
    """Metrics of a site: the same recall at every cut-off, text to image a tenth below."""
    test: dict[str, float] = {"studies": 20.0}
    for k in (1, 5, 10):
        there, back = recall, recall - 0.1
        test |= {f"image_to_text_recall_at_{k}": there, f"text_to_image_recall_at_{k}": back}
        test[f"recall_at_{k}"] = (there + back) / 2
    return {"valid": {"loss": loss}, "test": test}


def write_run(folder: Path, *, best_round: int = 2) -> Path:
    """Writes ``results.json`` of two sites and two rounds; returns the run folder."""
    store = folder / "app_server" / "fedaid"
    (store / "best-00002").mkdir(parents=True)
    (store / "best-00002" / "config.json").write_text("{}")
    history: list[dict[str, Any]] = [
        {"round": number, "site_weights": {"lake": 0.4, "north": 0.6}, "valid": {s: {"loss": 2.0} for s in SITES}}
        for number in range(2)
    ]
    results = {
        "round": 2,
        "best_round": best_round,
        "model": "best-00002",
        "pairs": {"lake": 10, "north": 30},
        "site_weights": {"lake": 0.4, "north": 0.6},
        "history": history,
        "best": {"lake": splits(1.5, 0.8), "north": splits(0.5, 0.6)},
    }
    (store / "results.json").write_text(json.dumps(results))
    return folder
