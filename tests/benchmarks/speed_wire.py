"""What a round costs on the wire and in FLARE: each measurement is a function that returns a plain dict."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from admin.jobs.cost import PlannedFederation, model_size, phases
from admin.jobs.package import package_job
from admin.jobs.settings import model_configuration
from tests.benchmarks.flare_round import breakdown, run_in_poc
from tests.benchmarks.simulated_run import (
    CONTROL,
    MODEL,
    TRAINING,
    prepare_sites,
    round_bytes,
    run,
    total_bytes,
    worst_loss,
    write_sites,
)
from tests.integration.conftest import MODEL as TINY

LONG_STEPS = {"align_steps": 4, "pretrain_steps": 16}  # as the jobs have them, 1 to 4
MANY_STUDIES = 750  # of them 525 to train on, where a round of LONG_STEPS draws 512


def bytes_ratio(rounds: int = 4, sites: int = 3) -> dict[str, Any]:
    """Bytes of FedAID's round over those of FedAvg's at 32 bits, by type on the wire, both counted at the server.

    The ratio is that of the middle round; ``first`` is that of the first, in which every site gets the whole model,
    and ``run`` that of the whole run with its final validation. ``job_model`` has them for the jobs' own small model.
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
        "job_model": job_model_ratios() | {"from": "computed from the shapes, not measured"},
    }


def job_model_ratios() -> dict[str, Any]:
    """The same ratios for the model that the jobs have by default, computed: alignment is a large part of it."""
    with tempfile.TemporaryDirectory() as folder:
        size = model_size(model_configuration(package_job("fedaid_pretrain", out=Path(folder))))
    base = sum(phase.down + phase.up for phase in phases(size, a_round("fp32", alignment_phase=False)))
    sent = {
        dtype: sum(phase.down + phase.up for phase in phases(size, a_round(dtype, alignment_phase=True)))
        for dtype in ("fp32", "bf16", "int8")
    }
    return {dtype: of / base for dtype, of in sent.items()} | {"alignment_share": size.alignment / size.whole}


def a_round(dtype: str, *, alignment_phase: bool) -> PlannedFederation:
    """A federation whose bytes are asked for and whose seconds are not."""
    return PlannedFederation(1, 1.0, 1.0, 1, 1, wire_dtype=dtype, alignment_phase=alignment_phase)


def flare_round_seconds(rounds: int = 8) -> dict[str, Any]:
    """Seconds of FLARE in a round of two tasks, tiny model, POC of 3 sites, and where they go."""
    with tempfile.TemporaryDirectory() as folder:
        names = write_sites(Path(folder) / "data", 3)
        settings = TINY | TRAINING | CONTROL | {"align_steps": 1, "pretrain_steps": 1}
        settings |= {"min_clients": 3, "num_rounds": rounds}
        job = package_job("fedaid_pretrain", out=Path(folder) / "jobs", settings=settings)
        return breakdown(*run_in_poc(Path(folder) / "poc", job, names, Path(folder) / "data"))


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


def linear_residual(counts: Sequence[int] = (2, 4, 8, 16), repeats: int = 5, rounds: int = 3) -> dict[str, Any]:
    """How far the time of a round is from a straight line in the number of sites, at most, as a share of the time.

    Simulator; the counts are run in turns, there and back, and each one's time is the median of its runs. A run counts
    with the median of its rounds after the first.
    """
    seconds: dict[int, list[float]] = {sites: [] for sites in counts}
    with tempfile.TemporaryDirectory() as folder:
        for sites in counts:
            write_sites(Path(folder) / f"data-{sites}", sites)
            prepare_sites(Path(folder) / f"data-{sites}", image_size=MODEL["image_size"])
        for number in range(repeats):
            for sites in counts if number % 2 == 0 else reversed(counts):
                at, data = Path(folder) / f"{sites}-{number}", Path(folder) / f"data-{sites}"
                found = run("fedaid_pretrain", at, data=data, sites=sites, num_rounds=rounds, steps=LONG_STEPS)
                seconds[sites].append(median(found["round_seconds"][1:]))
                shutil.rmtree(at)
    return from_a_line({sites: median(taken) for sites, taken in seconds.items()}) | {"all": seconds}


def from_a_line(seconds: Mapping[int, float]) -> dict[str, Any]:
    """The largest distance from the line through the seconds by number of sites, over the seconds there.

    Weighted so that a second of a short round counts as much as its share.
    """
    counts, taken = np.array(list(seconds)), np.array(list(seconds.values()))
    slope, fixed = np.polyfit(counts, taken, 1, w=1 / taken)
    off = np.abs(fixed + slope * counts - taken) / taken
    return {"residual": float(off.max()), "seconds": dict(seconds), "per_site": float(slope), "fixed": float(fixed)}
