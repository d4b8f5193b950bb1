"""The tables of docs/sizing.md that show docs/size.json: ``python -m tests.benchmarks.size.page`` prints them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.size.processes import JOB, SITE
from tests.benchmarks.size.summary import GOALS, held, is_met

FILE = Path("docs/size.json")
VARIANTS = {
    "trained": "everything trained, fp32",
    "frozen": "frozen towers (`--preset hospital`)",
    "adapters": "adapters of rank 8 (`--preset hospital`)",
}
EMPTY = {"empty": "FLARE alone: an empty executor"}
MEMORY = (
    "| | a site, its processes together | models | the server's job | models |",
    "|---|---|---|---|---|",
)
SECONDS = (
    "| POC, seconds a round | the model in and out of a site | beside the slowest site's executor | bytes of the run |",
    "|---|---|---|---|",
)
KEYS = ("| number | measured | goal | |", "|---|---|---|---|")


def tables(found: Mapping[str, Any]) -> list[str]:
    """The three tables, line by line: memory, seconds, and the numbers with their goals."""
    return [*MEMORY, *memory_rows(found), "", *SECONDS, *second_rows(found), "", *KEYS, *goal_rows(found)]


def memory_rows(found: Mapping[str, Any]) -> list[str]:
    """MB that no file has, of each run in the POC and in the simulator, and in models above the one without size."""
    runs, rows = found["runs"], []
    for start, where in (("", "POC"), ("simulator ", "simulator")):
        for name, words in VARIANTS.items():
            if start + name in runs:
                site, server = (f"{megabytes(runs, start + name, part)}" for part in (SITE, JOB))
                of_site, of_server = (models(found, start, name, part) for part in (SITE, JOB))
                rows.append(f"| {where}, {words} | {site} | {of_site:.2f} | {server} | {of_server:.2f} |")
    return rows


def models(found: Mapping[str, Any], start: str, name: str, part: str) -> float:
    """The memory of a part above that of a model without size, in models."""
    runs = found["runs"]
    above = held(runs[start + name], part) - held(runs[f"{start}interpreter"], part)
    return float(above / 1e6 / found["model_mb"])


def megabytes(runs: Mapping[str, Any], name: str, part: str) -> str:
    """MB of each part of this kind, such as ``4,029 and 4,127``."""
    return " and ".join(f"{peak['held']:,.0f}" for of, peak in runs[name]["mb"].items() if of.startswith(part))


def second_rows(found: Mapping[str, Any]) -> list[str]:
    """Medians over sites and rounds, and MB of the whole run."""
    rows = []
    for name, words in {**EMPTY, **VARIANTS}.items():
        if run := found["runs"].get(name):
            moved = f"{run['run_mb']:,.0f} MB" if "run_mb" in run else ""
            seconds = median(run["exchange_seconds"])
            rows.append(f"| {words} | {seconds:.1f} | {run['outside_executor_seconds']:.1f} | {moved} |")
    return rows


def goal_rows(found: Mapping[str, Any]) -> list[str]:
    """Each number with its goal."""
    return [
        f"| `{key}` | {value:.3f} | {GOALS[name][0]} | {'met' if is_met(name, value) else 'MISSED'} |"
        for key, value in found.items()
        if (name := key.removeprefix("simulator_")) in GOALS
    ]


if __name__ == "__main__":
    print("\n".join(tables(json.loads(FILE.read_text(encoding="utf-8")))))
