"""Peak memory of the aggregator with a number of synthetic updates, in a process of its own.

python -m tests.benchmarks.aggregator_memory SITES MEGABYTES FOLDER
"""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from nvflare.apis.fl_constant import FLContextKey
from nvflare.apis.fl_context import FLContextManager

import admin  # noqa: F401 - makes custom/fedaid importable
from fedaid.flare.server.aggregator import AUTHENTICATED_SITE, SiteWeightedAggregator
from fedaid.flare.server.gate import Gate
from fedaid.flare.wire.messages import update_to_shareable
from fedaid.flare.wire.tasks import Arrays, UpdateMessage
from tests.benchmarks.machine import peak_mib
from tests.flare.conftest import Engine

TENSORS = 50


def peak_in_a_process(sites: int, megabytes: int, folder: Path) -> int:
    """Peak bytes of a fresh process that sums this many updates."""
    command = [sys.executable, "-m", "tests.benchmarks.aggregator_memory", str(sites), str(megabytes), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    return int(done.stdout.split()[-1])


def aggregator_memory_per_site(
    megabytes: int = 200, sites: tuple[int, int] = (3, 12), repeats: int = 5
) -> dict[str, Any]:
    """Peak memory of the aggregator for each site more, over the size of the model: median of pairs."""
    peaks: dict[int, list[int]] = {count: [] for count in sites}
    for number in range(repeats):
        for count in sites if number % 2 == 0 else reversed(sites):
            with tempfile.TemporaryDirectory() as folder:
                peaks[count].append(peak_in_a_process(count, megabytes, Path(folder)))
    return per_site(peaks, megabytes * 1e6)


def per_site(peaks: Mapping[int, Sequence[float]], model_bytes: float) -> dict[str, Any]:
    """How much of a model each site more takes, of peaks in bytes with few and with many sites, pair by pair."""
    (few, least), (many, most) = sorted(peaks.items())
    ratios = [(high - low) / (many - few) / model_bytes for low, high in zip(least, most, strict=True)]
    megabytes = {str(count): [peak / 1e6 for peak in found] for count, found in peaks.items()}
    return {"ratio": median(ratios), "ratios": ratios, "peak_mb_by_sites": megabytes}


def model(megabytes: int, seed: int) -> Arrays:
    """A model of this size, in equal matrices."""
    rng = np.random.default_rng(seed)
    floats = megabytes * 1_000_000 // 4 // TENSORS
    return {f"tensor{n}": rng.random((floats // 1000, 1000), np.float32) for n in range(TENSORS)}


def aggregate(sites: int, megabytes: int, folder: Path) -> int:
    """Takes the updates one after another, sums them, and returns the peak bytes of this process."""
    context = FLContextManager(engine=Engine([], {}), identity_name="server", job_id="job").new_context()
    context.set_prop(FLContextKey.APP_ROOT, str(folder), private=True, sticky=True)
    names, base = [f"site-{number:02d}" for number in range(sites)], model(megabytes, 0)
    aggregator = SiteWeightedAggregator()
    aggregator.site_weights = dict.fromkeys(names, 1 / sites)
    aggregator.open(Gate(phase="pretrain", round_number=0, template=base, sites=names), base)
    for number, name in enumerate(names):
        context.set_prop(AUTHENTICATED_SITE, name, private=True, sticky=False)
        reply = update_to_shareable(UpdateMessage(0, model(megabytes, number + 1), {}, 10, {}))
        if not aggregator.accept(reply, context):
            raise RuntimeError(f"the update of {name} was refused: {aggregator.refused}")
        del reply
        gc.collect()
    if len(aggregator.total()) != TENSORS:
        raise RuntimeError("the sum must hold every tensor")
    aggregator.reset(context)
    return round(peak_mib() * 2**20)


if __name__ == "__main__":
    print(aggregate(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
