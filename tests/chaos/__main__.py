"""``python -m tests.chaos [NAME ...]``: inject faults of every kind; build/bench/chaos.json.

What one gave is kept in build/bench/chaos, so that a run
which was stopped continues with the next series; ``--again`` measures anew.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import admin  # noqa: F401 - makes custom/fedaid importable
from tests.benchmarks.machine import surroundings
from tests.chaos.catalogue import SERIES
from tests.chaos.outcome import Outcome, total
from tests.chaos.page_table import write_page

OUT = Path("build/bench/chaos.json")
KEPT = Path("build/bench/chaos")


def measure(name: str) -> None:
    """Run one series and keep what it gave."""
    before = surroundings()
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fedaid-chaos-") as folder:
        outcome = SERIES[name](Path(folder))
    KEPT.mkdir(parents=True, exist_ok=True)
    seconds = round(time.monotonic() - start, 1)
    kept = {"outcome": asdict(outcome), "seconds": seconds, "surroundings": before}
    (KEPT / f"{name}.json").write_text(json.dumps(kept, indent=1))
    print(f"{name}: {json.dumps(outcome.numbers())} in {seconds} s", flush=True)


def kept_series() -> dict[str, dict[str, Any]]:
    """What each series gave, as far as it has run."""
    return {name: json.loads(file.read_text()) for name in SERIES if (file := KEPT / f"{name}.json").exists()}


def write_sum() -> dict[str, Outcome]:
    """Write what all series gave to build/bench/chaos.json, and return it."""
    kept = kept_series()
    outcomes = {
        name: Outcome(**one["outcome"] | {"failures": tuple(one["outcome"]["failures"])}) for name, one in kept.items()
    }
    series = {
        name: outcome.numbers() | {"seconds": kept[name]["seconds"], "date": kept[name]["surroundings"]["date"]}
        for name, outcome in outcomes.items()
    }
    missing = [name for name in SERIES if name not in kept]
    OUT.write_text(
        json.dumps(total(outcomes.values()) | {"series": series, "not_run": missing} | surroundings(), indent=1)
    )
    print(f"{OUT}: {json.dumps(total(outcomes.values()))}")
    if not missing:
        write_page(series)
    return outcomes


def unexpected(name: str, outcome: Outcome) -> list[str]:
    """What did not end as expected in a series, in words; a fault that could not be injected is such a thing, too."""
    lost = (outcome.injected or 0) - (outcome.survived or 0)
    found = [f"{name}: {text}" for text in outcome.failures]
    return found or ([f"{name}: {lost} faults were not survived"] if outcome.survived is not None and lost else [])


def main() -> int:
    """Return 0 if every series ran and ended as expected."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"all by default: {', '.join(SERIES)}")
    parser.add_argument("--again", action="store_true", help="measure anew what has run")
    given = parser.parse_args()
    if unknown := [name for name in given.names if name not in SERIES]:
        parser.error(f"unknown series: {', '.join(unknown)}")
    for name in given.names or SERIES:
        if given.again or not (KEPT / f"{name}.json").exists():
            measure(name)
    outcomes = write_sum()
    wrong = [text for name in given.names or SERIES for text in unexpected(name, outcomes[name])]
    for text in wrong:
        print(f"error: {text}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
