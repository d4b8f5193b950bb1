"""An evaluation job's result, written by hand by the keys of docs/evaluation.md, for tests of what reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

GEOMETRY = {"alignment": 0.83, "image_uniformity": -1.94, "text_uniformity": -2.26, "modality_gap": 0.31}
UNMEASURED: dict[str, Any] = {"value": None, "findings": {}}


def interval(value: float, half: float = 0.05) -> dict[str, float]:
    return {"value": value, "low": round(value - half, 4), "high": round(value + half, 4)}


def finding(auroc: float | None, *, inverted: bool = False) -> dict[str, Any]:
    """One finding of the zero-shot part; None for too few patients."""
    found = None if auroc is None else interval(auroc)
    few = {"positives": "<5" if auroc is None else "20-49", "negatives": "50-99"}
    of_prompts = None if auroc is None else {"pairs": 9, "lowest": round(auroc - 0.1, 4), "highest": auroc}
    measures = {"auroc": found, "average_precision": found, "f1": found}
    return {**few, "inverted": inverted, **measures, "prevalence": found and "head", "prompt_spread": of_prompts}


def multiclass() -> dict[str, Any]:
    """Accuracy among four of five classes; the fifth has too few patients."""
    names = ("Atelectasis", "Cardiomegaly", "Edema", "Pleural Effusion")
    classes = {name: {"patients": "10-19", "accuracy": interval(0.51)} for name in names}
    few = {"Consolidation": {"patients": "<5", "accuracy": None}}
    return {"accuracy": interval(0.52), "chance": 0.25, "classes": dict(sorted({**classes, **few}.items()))}


def suite(recall: float, *, half: float = 0.05) -> dict[str, Any]:
    """One model on one site's test split."""
    findings = {"Cardiomegaly": finding(0.81), "Edema": finding(0.31, inverted=True), "Fracture": finding(None)}
    sexes = {
        "F": {"patients": "20-49", "recall_at_5": interval(recall - 0.1), "macro_auroc": None},
        "M": {"patients": "20-49", "recall_at_5": interval(recall), "macro_auroc": interval(0.7)},
    }
    gap = {"best": "M", "worst": "F", **interval(0.1)}
    turned = {"best": "F", "worst": "M", **interval(0.04)}
    probe = {"draws": 5, "macro_auroc": interval(0.71), "spread": 0.03, "findings": 7, "left_out": 0.0}
    return {
        "schema_version": 2,
        "settings": {"least_patients": 5, "draws": 1000, "level": 0.95, "seed": 0, "prompt_set": "chexpert-v1"},
        "counts": {"test": {"studies": 50, "patients": 40, "texts": 40}},
        "loss": 2.0,
        "retrieval": {"recall_at_5": interval(recall, half), "image_to_text_recall_at_5": interval(recall + 0.0123)},
        "zero_shot": {
            "prompt_set": "chexpert-v1",
            "macro_auroc": interval(0.74),
            "macro_average_precision": {**interval(0.43), "chance": 0.3, "findings": 2},
            "by_prevalence": {"head": {**interval(0.47), "chance": 0.3, "findings": 2}},
            "multiclass": multiclass(),
            "findings": findings,
            "own_findings": {"Misplaced tube": finding(0.66)},
        },
        "linear_probe": {"0.01": probe | {"macro_auroc": None}, "1.0": probe},
        "calibration": {"zero_shot": {"value": 0.2, "findings": {"Cardiomegaly": 0.2}}, "linear_probe": UNMEASURED},
        "geometry": {name: interval(value) for name, value in GEOMETRY.items()},
        "subgroups": {"sex": {"groups": sexes, "gap": {"recall_at_5": gap, "macro_auroc": turned}}},
    }


def unlabelled() -> dict[str, Any]:
    """A site whose studies have no labels: every finding is there, of nobody."""
    bare = finding(None) | {"negatives": "<5"}
    probe = {"draws": 1, "macro_auroc": None, "spread": None, "findings": 0, "left_out": 0.0}
    return suite(0.5) | {
        "zero_shot": {
            "prompt_set": "chexpert-v1",
            "macro_auroc": None,
            "macro_average_precision": None,
            "by_prevalence": {},
            "multiclass": {"accuracy": None, "chance": None, "classes": {}},
            "findings": {"Edema": bare, "Fracture": bare},
            "own_findings": {},
        },
        "linear_probe": {"0.01": probe, "1.0": probe},
        "calibration": {"zero_shot": UNMEASURED, "linear_probe": UNMEASURED},
    }


def untold() -> dict[str, Any]:
    """A site with fewer test patients than it may tell of."""
    parts = ("retrieval", "zero_shot", "linear_probe", "calibration", "geometry", "subgroups")
    return suite(0.5) | dict.fromkeys(parts)


def write_evaluation(folder: Path, models: Mapping[str, Mapping[str, Any]], **parts: Any) -> Path:
    """Writes ``evaluation.json`` with the suites, model → site → suite, and other parts; returns the run folder."""
    store = folder / "app_server" / "fedaid"
    store.mkdir(parents=True, exist_ok=True)
    (store / "evaluation.json").write_text(json.dumps({"models": models, "data": {}, **parts}))
    return folder
