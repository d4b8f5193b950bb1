"""``python -m tests.benchmarks.speed``: what FedAID costs against FedAvg, in build/bench/speed.json and as a table.

The file is written after each measurement, so that an interrupted run keeps what it has; ``--only`` measures some again
and leaves the others as they are in the file. The exit code is 0 if everything was measured, whether its goal was met
or not.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import admin  # noqa: F401 - makes custom/fedaid importable
from tests.benchmarks.aggregator_memory import aggregator_memory_per_site
from tests.benchmarks.fast_path import fast_path_quality, not_worse
from tests.benchmarks.machine import surroundings
from tests.benchmarks.number_formats import bf16_against_fp32
from tests.benchmarks.server_process import server_memory_per_site
from tests.benchmarks.speed_training import accumulation_memory_ratio, executor_ratio, site_memory_ratio
from tests.benchmarks.speed_wire import bytes_ratio, flare_round_seconds, linear_residual, round_ratio
from tests.benchmarks.spread import Difference
from tests.benchmarks.wire_quality import wire_quality

OUT = Path("build/bench/speed.json")
BYTES = {"fp32": 1.15, "bf16": 0.6, "int8": 0.35}  # most, of FedAvg's
POINT = 1.0  # of recall, which is counted from 0 to 100


@dataclass(frozen=True)
class Measure:
    """One number and its goal.

    Attributes:
        run: measures it.
        key: under which name that returns it.
        goal: in words.
        met: whether the goal is met by what ``run`` returns as ``judged``, by default the number; None: cannot tell.
        minutes: that it takes on two idle cores, about.
        judged: the name of what is judged.
    """

    run: Callable[[], dict[str, Any]]
    key: str
    goal: str
    met: Callable[[Any], bool | None]
    minutes: float = 1
    judged: str = ""


def at_most(limit: float) -> Callable[[Any], bool]:
    """Whether a number is not above a limit."""
    return lambda value: bool(value <= limit)


def light(ratios: Mapping[str, float]) -> bool:
    """Whether every number format sends as little as it should."""
    return all(ratios[dtype] <= most for dtype, most in BYTES.items())


def alike(intervals: Mapping[str, Mapping[str, Any]]) -> bool | None:
    """Whether every number format is within a point of recall of fp32, as far as its interval tells."""
    found = [Difference(**interval).within(POINT) for interval in intervals.values()]
    return False if False in found else None if None in found else True


def bytes_by_dtype() -> dict[str, Any]:
    """What :func:`bytes_ratio` finds, its ratios in one entry."""
    found = bytes_ratio()
    return {"ratios": {dtype: found.pop(dtype) for dtype in BYTES}} | found


MEASURES: Mapping[str, Measure] = {
    "bytes_ratio": Measure(bytes_by_dtype, "ratios", "fp32 1.15, bf16 0.6, int8 0.35", light, 2),
    "server_memory_per_site": Measure(server_memory_per_site, "ratio", "at most 0.1", at_most(0.1), 25),
    "aggregator_memory_per_site": Measure(aggregator_memory_per_site, "ratio", "at most 0.1", at_most(0.1), 3),
    "executor_ratio": Measure(executor_ratio, "executor_ratio", "at least 0.95", lambda value: bool(value >= 0.95)),
    "site_memory_ratio": Measure(site_memory_ratio, "site_memory_ratio", "at most 1.15", at_most(1.15), 8),
    "accumulation_memory_ratio": Measure(
        accumulation_memory_ratio, "accumulation_memory_ratio", "at most 1.2", at_most(1.2), 5
    ),
    "flare_round_seconds": Measure(flare_round_seconds, "flare", "at most 1", at_most(1.0)),
    "round_ratio": Measure(round_ratio, "ratio", "at most 1.15", at_most(1.15), 20),
    "linear_residual": Measure(linear_residual, "residual", "at most 0.1", at_most(0.1), 15),
    "bf16_time_ratio": Measure(bf16_against_fp32, "time_ratio", "reported as it is", lambda value: value > 0, 5),
    "wire_quality": Measure(
        wire_quality, "difference", "95 % within 1 point of fp32", alike, minutes=10, judged="intervals"
    ),
    "fast_path_quality": Measure(fast_path_quality, "difference", "95 % at most 2 points below", not_worse, minutes=6),
}


def main(arguments: list[str] | None = None) -> None:
    """Measure, write the file and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.speed", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(MEASURES), help="these alone")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args(arguments)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = json.loads(options.out.read_text()) if options.only and options.out.exists() else {}
    found |= surroundings()
    wanted = {name: measure for name, measure in MEASURES.items() if options.only is None or name in options.only}
    say(f"about {sum(measure.minutes for measure in wanted.values()):.0f} minutes on two idle cores")
    for name, measure in wanted.items():
        begun = time.perf_counter()
        say(f"measuring {name}, about {measure.minutes:.0f} min")
        details = measure.run()
        found[name] = details[measure.key]
        found.setdefault("details", {})[name] = details
        options.out.write_text(json.dumps(found, indent=1) + "\n")
        say(f"  {time.perf_counter() - begun:.0f} s")
    print(table(found))


def say(text: str) -> None:
    """Report progress on standard error."""
    print(text, file=sys.stderr, flush=True)


def table(found: Mapping[str, Any]) -> str:
    """A line a measure: its number, its goal, and whether it is met."""
    return "\n".join(
        f"{name:26} {shown(found[name]):>40}   {measure.goal:32} {verdict(measure, found['details'][name])}"
        for name, measure in MEASURES.items()
        if name in found
    )


def verdict(measure: Measure, details: Mapping[str, Any]) -> str:
    """Whether the goal is met, in a word or two."""
    return {True: "met", False: "MISSED", None: "cannot tell"}[measure.met(details[measure.judged or measure.key])]


def shown(value: object) -> str:
    """A number in four places, or several by name."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {shown(one)}" for name, one in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
