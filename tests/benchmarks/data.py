"""``python -m tests.benchmarks.data``: the numbers of the data room, in build/bench/data.json and as a table.

Progress is on standard error. The exit code is 0 if everything was measured, whether its goal was met or not.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import admin  # noqa: F401 - makes custom/fedaid importable
from tests.benchmarks.counts import catalogue_numbers, doctor_numbers
from tests.benchmarks.epochs import epoch_speedup
from tests.benchmarks.goals import verdicts
from tests.benchmarks.machine import surroundings
from tests.benchmarks.peak_memory import growth, peak_memory
from tests.benchmarks.prepare_speed import prepare_speed
from tests.benchmarks.spread import Spread

OUT = Path("build/bench/data.json")


@dataclass(frozen=True)
class Scale:
    """How much is measured: full-size films to prepare and to draw, small studies held in memory, repeats."""

    films: int = 1000
    repeats: int = 5
    drawn: int = 160
    held: tuple[int, ...] = (2000, 8000)


QUICK = Scale(films=24, repeats=1, drawn=16, held=(50, 100))


def main(arguments: list[str] | None = None) -> None:
    """Measure, write the file and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.data", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the same with a few files: tries it, measures nothing")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args(arguments)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    found = measured(QUICK if options.quick else Scale(), options.out.parent.resolve())
    judged = verdicts(found)
    options.out.write_text(json.dumps(found | {"goals": {one.name: asdict(one) for one in judged}}, indent=1) + "\n")
    for one in judged:
        print(f"{one.name:22} {shown(one.value):>22}   goal: {one.goal:22} {'met' if one.met else 'MISSED'}")


def shown(value: object) -> str:
    """A number of the table; of counts by code, how many and of how many codes."""
    if isinstance(value, dict):
        return f"{sum(value.values())} of {len(value)} codes"
    return "not measured" if value is None else str(value)


def measured(scale: Scale, beside: Path) -> dict[str, object]:
    """Return all numbers; what is generated lies in a folder beside the result while it is needed."""
    found: dict[str, object] = surroundings() | {"scale": asdict(scale)}
    begun = time.perf_counter()

    def say(text: str) -> None:
        print(f"[{time.perf_counter() - begun:4.0f} s] {text}", file=sys.stderr, flush=True)

    for part in (speed, epochs, memory, counts):
        say(part.__name__)
        with tempfile.TemporaryDirectory(dir=beside, prefix=".data-") as folder:
            numbers = part(scale, Path(folder), say)
        spreads = {name: value.as_dict() for name, value in numbers.items() if isinstance(value, Spread)}
        plain = {
            name: round(value.median, 3) if isinstance(value, Spread) else value for name, value in numbers.items()
        }
        found |= plain
        found["spread"] = {**dict(found.get("spread", {})), **spreads}  # type: ignore[call-overload]
    return found


def speed(scale: Scale, folder: Path, say: Callable[[str], None]) -> dict[str, object]:
    """The rate of ``prepare`` beside that of the bare loop."""
    return dict(prepare_speed(folder, scale.films, repeats=scale.repeats, say=say))


def epochs(scale: Scale, folder: Path, say: Callable[[str], None]) -> dict[str, object]:
    """Both epochs, of uncompressed films, and of those that a PACS compressed."""
    repeats = min(3, scale.repeats)
    plain = epoch_speedup(folder / "plain", scale.drawn, squeeze=False, repeats=repeats, say=say)
    squeezed = epoch_speedup(folder / "squeezed", scale.drawn, squeeze=True, repeats=repeats, say=say)
    return dict(plain) | {f"{name}_jpeg_lossless": value for name, value in squeezed.items()}


def memory(scale: Scale, folder: Path, say: Callable[[str], None]) -> dict[str, object]:
    """The peak by number of studies."""
    peaks = {}
    for studies in scale.held:
        peaks[studies] = peak_memory(folder / str(studies), studies)
        say(f"{studies} studies: {peaks[studies].tree:.0f} MiB, of the parent {peaks[studies].parent:.0f} MiB")
    return {
        "peak_memory_mb": {str(studies): round(peak.tree, 1) for studies, peak in peaks.items()},
        "peak_memory_parent_mb": {str(studies): round(peak.parent, 1) for studies, peak in peaks.items()},
        "peak_memory_growth": round(growth(peaks), 3),
    }


def counts(scale: Scale, folder: Path, say: Callable[[str], None]) -> dict[str, object]:
    """What the doctor's checks and the data catalogue come to; the same at every scale."""
    return catalogue_numbers(folder) | doctor_numbers(folder / "doctor")


if __name__ == "__main__":
    main()
