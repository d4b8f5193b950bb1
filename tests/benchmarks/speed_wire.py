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
from statistics import mean, median
from typing import Any

import numpy as np

from admin.package_job import package_job
from admin.simulate_job import CONSOLE, simulate
from admin.twin.consortium import DEMO_HOSPITALS, write_consortium
from fedaid.training.settings import TrainingSettings
from tests.benchmarks.flare_round import breakdown, run_in_poc
from tests.benchmarks.server_memory import peak_in_a_process
from tests.benchmarks.wire_quality import recall_at_5
from tests.integration.conftest import MODEL as TINY

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
LONG_STEPS = {"align_steps": 4, "pretrain_steps": 16}  # as the jobs have them, 1 to 4
STUDIES = 60
MANY_STUDIES = 750  # of them 525 to train on, where a round of LONG_STEPS draws 512
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


def flare_round_seconds(rounds: int = 8) -> dict[str, Any]:
    """Seconds of FLARE in a round of two tasks, tiny model, POC of 3 sites, and where they go."""
    with tempfile.TemporaryDirectory() as folder:
        names = write_sites(Path(folder) / "data", 3)
        settings = TINY | TRAINING | CONTROL | {"align_steps": 1, "pretrain_steps": 1}
        settings |= {"min_clients": 3, "num_rounds": rounds}
        job = package_job("fedaid_pretrain", out=Path(folder) / "jobs", settings=settings)
        return breakdown(*run_in_poc(Path(folder) / "poc", job, names, Path(folder) / "data"))


def server_memory_per_site(megabytes: int = 200, sites: tuple[int, int] = (3, 12)) -> dict[str, Any]:
    """Peak memory of the aggregator for each site more, over the size of the model."""
    with tempfile.TemporaryDirectory() as folder:
        few, many = (peak_in_a_process(count, megabytes, Path(folder) / str(count)) for count in sites)
    ratio = (many - few) / (sites[1] - sites[0]) / (megabytes * 1e6)
    return {"ratio": ratio, **{f"peak_mb_of_{n}_sites": peak / 1e6 for n, peak in zip(sites, (few, many), strict=True)}}


def round_ratio(pairs: int = 5, rounds: int = 5) -> dict[str, Any]:
    """Time of FedAID's round over that of FedAvg's with as many steps; simulator, 3 sites, the jobs' own model.

    Each pair is one run of both, one after the other; a run counts with the median of its rounds after the first. The
    sites have more studies than a round draws, so that no kept feature serves twice: the least favourable case.
    """
    seconds: dict[str, list[float]] = {"fedaid_pretrain": [], "fedavg_pretrain": []}
    options: dict[str, Any] = {"sites": 3, "num_rounds": rounds, "model": {}, "steps": LONG_STEPS, "batch_size": 32}
    with tempfile.TemporaryDirectory() as folder:
        write_sites(Path(folder) / "data", 3, studies=MANY_STUDIES)
        for number in range(pairs):
            for job in seconds if number % 2 else reversed(seconds):
                at = Path(folder) / f"{job}-{number}"
                found = run(job, at, data=Path(folder) / "data", **options)
                seconds[job].append(median(found["round_seconds"][1:]))
    ratios = [aid / avg for aid, avg in zip(*seconds.values(), strict=True)]
    return {"ratio": median(ratios), "ratios": ratios, **seconds}


def linear_residual(counts: Sequence[int] = (2, 4, 8, 16), rounds: int = 4) -> dict[str, Any]:
    """How far the time of a round is from a straight line in the number of sites, at most, as a share of the time."""
    seconds = []
    for sites in counts:
        with tempfile.TemporaryDirectory() as folder:
            found = run("fedaid_pretrain", Path(folder), sites=sites, num_rounds=rounds, steps=LONG_STEPS)
        seconds.append(median(found["round_seconds"][1:]))
    # Weighted so that a second of a short round counts as much as its share.
    slope, fixed = np.polyfit(counts, seconds, 1, w=1 / np.array(seconds))
    off = [abs(fixed + slope * n - took) / took for n, took in zip(counts, seconds, strict=True)]
    return {"residual": max(off), "seconds": dict(zip(map(str, counts), seconds, strict=True)), "per_site": slope}


def wire_quality(seeds: Sequence[int] = (0, 1, 2), rounds: int = 8, studies: int = 240) -> dict[str, Any]:
    """Recall at 5 in points by type on the wire, and its mean difference from that of fp32 over the seeds."""
    recalls: dict[str, list[float]] = {dtype: [] for dtype in ("fp32", "bf16", "int8")}
    with tempfile.TemporaryDirectory() as folder:
        names = write_sites(Path(folder) / "data", 3, studies=studies)
        roots = {name: Path(folder) / "data" / name for name in names}
        for seed in seeds:
            settings = TrainingSettings(batch_size=16, align_steps=6, pretrain_steps=24, learning_rate=1e-3, seed=seed)
            for dtype, found in recalls.items():
                at = Path(folder) / f"{dtype}-{seed}"
                at.mkdir()
                found.append(recall_at_5(dtype, roots, TINY | {"seed": seed}, settings, rounds=rounds, at=at))
    differences = {dtype: mean(np.subtract(found, recalls["fp32"]).tolist()) for dtype, found in recalls.items()}
    return {"difference": differences, "recall_at_5": recalls}


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


MEASUREMENTS: dict[str, Callable[[], dict[str, Any]]] = {
    "bytes_ratio": bytes_ratio,
    "flare_round_seconds": flare_round_seconds,
    "server_memory_per_site": server_memory_per_site,
    "round_ratio": round_ratio,
    "linear_residual": linear_residual,
    "wire_quality": wire_quality,
}


def main(names: Sequence[str]) -> None:
    """Prints what the named measurements find, as JSON; all of them where none is named."""
    for name in names or list(MEASUREMENTS):
        print(json.dumps({name: MEASUREMENTS[name]()}, indent=1), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
