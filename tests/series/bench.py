"""Runs series of measurements by name, keeps what each gave, and writes the sum."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import admin  # noqa: F401 - makes custom/fedaid importable
from tests.benchmarks.machine import surroundings
from tests.series.measured import Measured
from tests.series.page_table import PageTable

Outcome = TypeVar("Outcome", bound=Measured)


@dataclass(frozen=True, kw_only=True)
class Bench(Generic[Outcome]):
    """A catalogue of series, with a command line.

    What one series gave is kept, so that a run which was stopped continues with the next one.

    Attributes:
        name: of the command, the file ``build/bench/<name>.json`` and the folder ``build/bench/<name>``.
        kind: what a series returns.
        series: name → measures in an empty folder of its own. The order is that of the table on the page.
        page: where the table is.
    """

    name: str
    kind: type[Outcome]
    series: Mapping[str, Callable[[Path], Outcome]]
    page: PageTable

    @property
    def out(self) -> Path:
        """The sum."""
        return Path(f"build/bench/{self.name}.json")

    def kept(self, series: str) -> Path:
        """What one series gave."""
        return Path(f"build/bench/{self.name}/{series}.json")

    def measure(self, series: str) -> None:
        """Run one series and keep what it gave."""
        before, start = surroundings(), time.monotonic()
        with tempfile.TemporaryDirectory(prefix=f"fedaid-{self.name}-") as folder:
            outcome = self.series[series](Path(folder))
        seconds = round(time.monotonic() - start, 1)
        self.kept(series).parent.mkdir(parents=True, exist_ok=True)
        kept = {"outcome": asdict(outcome), "seconds": seconds, "surroundings": before}
        self.kept(series).write_text(json.dumps(kept, indent=1))
        print(f"{series}: {json.dumps(outcome.numbers())} in {seconds} s", flush=True)

    def write_sum(self) -> dict[str, Outcome]:
        """Write what all series gave, and return it."""
        kept: dict[str, dict[str, Any]] = {
            name: json.loads(file.read_text()) for name in self.series if (file := self.kept(name)).exists()
        }
        outcomes = {name: self.kind.read(one["outcome"]) for name, one in kept.items()}
        series = {
            name: outcome.numbers() | {"seconds": kept[name]["seconds"], "date": kept[name]["surroundings"]["date"]}
            for name, outcome in outcomes.items()
        }
        missing = [name for name in self.series if name not in kept]
        total = self.kind.total(outcomes.values())
        self.out.write_text(json.dumps(total | {"series": series, "not_run": missing} | surroundings(), indent=1))
        print(f"{self.out}: {json.dumps(total)}")
        if not missing:
            self.page.write(series)
        return outcomes

    def main(self, description: str | None) -> int:
        """Return 0 if every series ran and ended as expected."""
        parser = argparse.ArgumentParser(prog=f"python -m tests.{self.name}", description=description)
        parser.add_argument("names", nargs="*", metavar="NAME", help=f"all by default: {', '.join(self.series)}")
        parser.add_argument("--again", action="store_true", help="measure anew what has run")
        given = parser.parse_args()
        if unknown := [name for name in given.names if name not in self.series]:
            parser.error(f"unknown series: {', '.join(unknown)}")
        wanted = given.names or list(self.series)
        for name in wanted:
            if given.again or not self.kept(name).exists():
                self.measure(name)
        outcomes = self.write_sum()
        wrong = [f"{name}: {text}" for name in wanted for text in unexpected(outcomes[name])]
        for text in wrong:
            print(f"error: {text}", file=sys.stderr)
        return 1 if wrong else 0


def unexpected(outcome: Measured) -> list[str]:
    """What did not end as expected in a series, in words; a number that is too low counts if no text says why."""
    return list(outcome.failures) or outcome.shortfalls()
