"""What local training costs in time and memory, each against its own yardstick; all dicts are plain JSON.

python -m tests.benchmarks.speed_training
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, TypeVar

import torch

import admin  # noqa: F401 - makes custom/fedaid importable
from fedaid.data.dataset import Batch
from fedaid.losses.contrastive import info_nce_loss
from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.batches import round_rows, training_batches
from fedaid.training.trainer import BETAS
from tests.benchmarks.speed_site import ROOT, a_round, job_model, job_settings, settings_of, site
from tests.benchmarks.wire_site import write_messages

REPEATS = 5
STEPS = (10, 40)  # T1, T2 of the job
T = TypeVar("T")


def seconds(work: Callable[[], object]) -> float:
    """How long a call takes."""
    start = perf_counter()
    work()
    return perf_counter() - start


def alternating(one: Callable[[], object], other: Callable[[], object]) -> tuple[list[float], list[float]]:
    """Seconds of both, in turns, after one run of each that does not count."""
    one(), other()
    pairs = in_turns(lambda: seconds(one), lambda: seconds(other), repeats=REPEATS)
    return [first for first, _ in pairs], [second for _, second in pairs]


def in_turns(one: Callable[[], T], other: Callable[[], T], *, repeats: int) -> list[tuple[T, T]]:
    """What both give, again and again; the other goes first every second time, so that neither gains by its place."""
    pairs = []
    for number in range(repeats):
        if number % 2 == 0:
            pairs.append((one(), other()))
        else:
            second = other()
            pairs.append((one(), second))
    return pairs


def bare_loop(model: DualEncoder, batches: list[Batch], *, learning_rate: float) -> Callable[[], None]:
    """Plain PyTorch on batches that lie in memory: forward, loss, backward, clip, step."""

    def train() -> None:
        model.train()
        optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, betas=BETAS, fused=True)
        for batch in batches:
            optimizer.zero_grad(set_to_none=True)
            image, text = model(*batch.inputs)
            info_nce_loss(image, text, model.logit_scale, batch.groups).backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()

    return train


def executor_ratio(steps: int = 40) -> dict[str, Any]:
    """Pairs per second inside ``SiteWorker.pretrain``, loading and update included, against a bare loop.

    The job's model and batch; the phase without binding, as the bare loop has none.
    """
    settings = settings_of("fedavg", steps=(0, steps))
    worker = site(job_model(), settings)
    data = worker.data.train
    batches = list(training_batches(data, round_rows(len(data), settings, seed=1), seed=1))
    bare = bare_loop(DualEncoder(**job_model()), batches, learning_rate=settings.learning_rate)
    inside, outside = alternating(lambda: worker.pretrain(round_number=0), bare)
    pairs = steps * settings.batch_size
    return {
        "executor_ratio": median(b / a for a, b in zip(inside, outside, strict=True)),
        "pairs_per_second": pairs / median(inside),
        "bare_pairs_per_second": pairs / median(outside),
        "ratios": [b / a for a, b in zip(inside, outside, strict=True)],
    }


def round_seconds(method: str) -> dict[str, Any]:
    """Seconds of one site's round of ``fedaid`` or ``fedavg``, T1 + T2 steps each, median of several."""
    worker = site(job_model(), settings_of(method, steps=STEPS))
    a_round(worker, 0)
    taken = [seconds(lambda number=n: a_round(worker, number)) for n in range(1, REPEATS + 1)]  # type: ignore[misc]
    return {"method": method, "round_seconds": median(taken), "all": taken}


def local_round_ratio() -> dict[str, Any]:
    """A site's round of FedAID against one of FedAvg with as many steps, in turns; no FLARE around it."""
    workers = [site(job_model(), settings_of(method, steps=STEPS)) for method in ("fedaid", "fedavg")]
    fedaid, fedavg = alternating(*(lambda worker=worker: a_round(worker, 0) for worker in workers))  # type: ignore[misc]
    ratios = [a / b for a, b in zip(fedaid, fedavg, strict=True)]
    return {"local_round_ratio": median(ratios), "fedaid": median(fedaid), "fedavg": median(fedavg), "ratios": ratios}


def peaks(module: str = "speed_site", **given: Any) -> dict[str, float]:
    """Peak memory in MiB of a process of its own that does a round, and its peak before the round."""
    command = [sys.executable, "-m", f"tests.benchmarks.{module}", json.dumps(given)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=environment)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def memory_ratio(name: str, one: dict[str, Any], other: dict[str, Any], *, repeats: int) -> dict[str, Any]:
    """Peaks of two kinds of round in turns: as they are, and without what the process held before its round."""
    pairs = in_turns(lambda: peaks(**one), lambda: peaks(**other), repeats=repeats)
    above = [(a["peak"] - a["before"]) / (b["peak"] - b["before"]) for a, b in pairs]
    return {
        name: median(a["peak"] / b["peak"] for a, b in pairs),
        f"{name}_above_start": median(above),
        "mib": [median(side["peak"] for side in sides) for sides in zip(*pairs, strict=True)],
        "mib_at_start": median(a["before"] for a, _ in pairs),
    }


def accumulation_memory_ratio(repeats: int = REPEATS) -> dict[str, Any]:
    """A round in batches of 256 by micro-batches of 32 against one in batches of 32."""
    same = {"method": "fedaid", "steps": [1, 1], "studies": 256}
    large = same | {"batch_size": 256, "micro_batch_size": 32}
    return memory_ratio("accumulation_memory_ratio", large, same | {"batch_size": 32}, repeats=repeats)


def site_memory_ratio(repeats: int = REPEATS, **changes: Any) -> dict[str, Any]:
    """A round of FedAID against one of FedAvg, the same batch and as many steps.

    ``through_executor`` is the same with what stands around training at a site: two rounds of its executor, with the
    messages and their packing, by type on the wire, each against FedAvg's at 32 bits.
    """
    same = {"steps": [1, 2], "batch_size": 32} | changes
    fedaid, fedavg = ({"method": method} | same for method in ("fedaid", "fedavg"))
    found = memory_ratio("site_memory_ratio", fedaid, fedavg, repeats=repeats)
    with tempfile.TemporaryDirectory() as folder:
        by_wire = {dtype: with_wire(Path(folder), same, dtype, repeats=repeats) for dtype in ("fp32", "int8")}
    return found | {"through_executor": by_wire}


def with_wire(folder: Path, same: dict[str, Any], dtype: str, *, repeats: int) -> dict[str, Any]:
    """:func:`memory_ratio` of FedAID's executor with a type on the wire over FedAvg's at 32 bits."""
    sides = []
    for method, wire in (("fedaid", dtype), ("fedavg", "fp32")):
        messages = folder / f"{dtype}-{method}"
        messages.mkdir()
        model = {"model": same["model"]} if "model" in same else {}
        write_messages(messages, method, wire_dtype=wire, **model)
        sides.append({"module": "wire_site", "method": method, "folder": str(messages)} | same)
    return memory_ratio("ratio", *sides, repeats=repeats)


def optimizer_ratio(steps: int = 30) -> dict[str, Any]:
    """Seconds of fused AdamW against the plain one over the job's model, without forward and backward."""
    model = DualEncoder(**job_model())
    for weight in model.parameters():
        weight.grad = torch.randn_like(weight) * 1e-3
    made = [torch.optim.AdamW(model.parameters(), lr=job_settings().learning_rate, fused=f) for f in (True, False)]
    fused, plain = alternating(*(lambda o=o: [o.step() for _ in range(steps)] for o in made))  # type: ignore[misc]
    return {"fused_adamw_ratio": median(a / b for a, b in zip(fused, plain, strict=True))}


def main() -> None:
    """Prints all of them, one a line."""
    torch.set_num_threads(1)
    for measure in (executor_ratio, local_round_ratio, optimizer_ratio, accumulation_memory_ratio, site_memory_ratio):
        print(json.dumps(measure()), flush=True)


if __name__ == "__main__":
    main()
