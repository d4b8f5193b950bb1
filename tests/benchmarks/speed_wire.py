"""What a round costs on the wire, in FLARE and at the server: each measurement is a function that returns a plain dict.

python -m tests.benchmarks.speed_wire bytes_ratio
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from admin.package_job import package_job
from admin.simulate_job import CONSOLE, simulate
from admin.twin.consortium import DEMO_HOSPITALS, write_consortium

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


def bytes_ratio(rounds: int = 4, sites: int = 3) -> dict[str, Any]:
    """Bytes of FedAID's round over those of FedAvg's at 32 bits, by type on the wire, both counted at the server.

    The ratio is that of the middle round; ``first`` is that of the first, in which every site gets the whole model,
    and ``run`` that of the whole run with its final validation.
    """
    with tempfile.TemporaryDirectory() as folder:
        fedavg = run("fedavg_pretrain", Path(folder) / "fedavg", sites=sites, num_rounds=rounds)
        runs = {
            dtype: run("fedaid_pretrain", Path(folder) / dtype, sites=sites, num_rounds=rounds, wire_dtype=dtype)
            for dtype in ("fp32", "bf16", "int8")
        }
    base = round_bytes(fedavg, rounds)
    found = {dtype: round_bytes(results, rounds) for dtype, results in runs.items()}
    return {
        "fedavg_bytes_per_site_and_round": median(base) / sites,
        **{dtype: median(counts) / median(base) for dtype, counts in found.items()},
        "first": {dtype: counts[0] / base[0] for dtype, counts in found.items()},
        "run": {dtype: total_bytes(results) / total_bytes(fedavg) for dtype, results in runs.items()},
        "worst_site_loss": {dtype: worst_loss(results) for dtype, results in runs.items()},
    }


def run(job: str, folder: Path, *, sites: int, num_rounds: int, **settings: Any) -> dict[str, Any]:
    """What a job in the simulator ended with, and ``round_seconds`` by its log."""
    steps = STEPS if job == "fedaid_pretrain" else {"align_steps": 0, "pretrain_steps": sum(STEPS.values())}
    names = write_sites(folder / "data", sites)
    changed = MODEL | TRAINING | CONTROL | steps | {"min_clients": sites, "num_rounds": num_rounds} | settings
    packaged = package_job(job, out=folder / "jobs", settings=changed)
    ended = simulate(packaged, workspace=folder / "run", sites=names, data=folder / "data", timeout=1200)
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


MEASUREMENTS: dict[str, Callable[[], dict[str, Any]]] = {"bytes_ratio": bytes_ratio}


def main(names: Sequence[str]) -> None:
    """Prints what the named measurements find, as JSON; all of them where none is named."""
    for name in names or list(MEASUREMENTS):
        print(json.dumps({name: MEASUREMENTS[name]()}, indent=1), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
