"""A job in the simulator on hospitals of the twin, as the benchmarks run it, and what its log and results say."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from admin.federation.simulate import CONSOLE, simulate
from admin.jobs.package import package_job
from admin.twin.consortium import DEMO_HOSPITALS, write_consortium
from fedaid.data.cache import cached_images
from fedaid.data.manifest import read_manifest

# A small model whose alignment modules are 8 % of it, as those of ViT-B and BERT-base are.
MODEL: dict[str, Any] = {
    "image_encoder": {"name": "resnet", "embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1]},
    "text_encoder": {
        "name": "bert",
        "hidden_size": 64,
        "intermediate_size": 256,
        "num_attention_heads": 2,
        "num_hidden_layers": 8,
    },
    "image_size": 32,
    "embedding_dim": 16,
    "projection_hidden": 32,
    "max_tokens": 48,
}
STEPS = {"align_steps": 3, "pretrain_steps": 4}  # T1, T2; FedAvg takes as many in one task
TRAINING: dict[str, Any] = {"batch_size": 8, "valid_batch_size": 4, "warmup_steps": 1, "threads": 1}
CONTROL: dict[str, Any] = {"wait_time_after_min_received": 30, "task_timeout": 300}
STUDIES = 60
ROUND = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}).*Round (\d+) (started|finished)\.", re.MULTILINE)


def run(
    job: str,
    folder: Path,
    *,
    sites: int,
    num_rounds: int,
    model: Mapping[str, Any] = MODEL,
    steps: Mapping[str, int] = STEPS,
    data: Path | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """What a job in the simulator ended with, and ``round_seconds`` by its log; FedAvg takes T1 + T2 steps.

    ``data`` are sites of :func:`write_sites` that are there already.
    """
    if job == "fedavg_pretrain":
        steps = {"align_steps": 0, "pretrain_steps": sum(steps.values())}
    names = sorted(path.name for path in data.iterdir()) if data else write_sites(folder / "data", sites)
    changed = {**model, **TRAINING, **CONTROL, **steps} | {"min_clients": sites, "num_rounds": num_rounds} | settings
    packaged = package_job(job, out=folder / "jobs", settings=changed)
    ended = simulate(packaged, workspace=folder / "run", sites=names, data=data or folder / "data", timeout=1200)
    results: dict[str, Any] = json.loads((ended / "fedaid" / "results.json").read_text())
    return results | {"round_seconds": round_seconds((folder / "run" / CONSOLE).read_text())}


def write_sites(folder: Path, count: int, *, studies: int = STUDIES) -> list[str]:
    """Hospitals of the twin, all of one size; their names."""
    hospitals = [
        replace(DEMO_HOSPITALS[number % len(DEMO_HOSPITALS)], name=f"site-{number:02d}", studies=studies)
        for number in range(count)
    ]
    folder.mkdir(parents=True)
    write_consortium(folder, hospitals=hospitals, image_size=64)
    return [hospital.name for hospital in hospitals]


def prepare_sites(folder: Path, *, image_size: int) -> None:
    """Decode the images of all sites once, as ``python -m admin prepare`` does, so that no run decodes."""
    for manifest in folder.glob("*/manifest.csv"):
        studies = read_manifest(manifest.parent).studies
        images = cached_images(studies, manifest.parent / "cache", image_size=image_size)
        with manifest.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        if not len(rows) == len(images.studies):
            raise RuntimeError("every study of a benchmark must be usable")
        np.save(manifest.parent / "pixels.npy", images.pixels, allow_pickle=False)
        with manifest.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [*rows[0], "image_row"])
            writer.writeheader()
            writer.writerows(row | {"image": "pixels.npy", "image_row": number} for number, row in enumerate(rows))


def round_seconds(log: str) -> list[float]:
    """Seconds of each round, from FLARE's own lines."""
    moments: dict[tuple[str, str], datetime] = {}
    for stamp, number, what in ROUND.findall(log):
        moments.setdefault((number, what), datetime.strptime(stamp, "%Y-%m-%d %H:%M:%S,%f"))
    numbers = sorted({number for number, what in moments if what == "finished"}, key=int)
    return [(moments[n, "finished"] - moments[n, "started"]).total_seconds() for n in numbers]


def round_bytes(results: Mapping[str, Any], rounds: int) -> list[int]:
    """Bytes of each round, both ways, over all sites; the final validation is in none."""
    tasks = [results["bytes"][str(number)] for number in range(rounds)]
    return [sum(sum(ways.values()) for ways in by_task.values()) for by_task in tasks]


def total_bytes(results: Mapping[str, Any]) -> int:
    """Bytes of the whole run."""
    return sum(sum(ways.values()) for tasks in results["bytes"].values() for ways in tasks.values())


def worst_loss(results: Mapping[str, Any]) -> float:
    """The validation loss of the last model at its worst site."""
    return max(float(splits["valid"]["loss"]) for splits in results["last"].values())
