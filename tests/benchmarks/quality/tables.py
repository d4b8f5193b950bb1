"""``python -m tests.benchmarks.quality.tables QUALITY.json``: the tables of a benchmark as Markdown."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from admin.jobs.methods import LOCAL
from admin.study.compare.comparison import METHOD
from admin.study.compare.summary import BASE
from admin.study.compare.summary_table import Summaries, by_worst, chance_of, of, row, rule, signed, table
from tests.benchmarks.quality.goals import turned

TOLD_APART = ("fedavg_uniform", "qfedavg")  # of the methods that are no FedAID; its variants are all told apart


def parts_table(name: str, methods: Summaries) -> str:
    """What FedAID has before its variants, and before the strongest baselines: paired differences."""
    columns = ("worst site", "mean", "held out")
    others = [m for m in methods if m.startswith(f"{METHOD}_") or m in TOLD_APART]
    lines = [row(f"{name}: {METHOD} − …", columns), rule(columns)]
    for method in others:
        apart = methods[method][f"difference_to_{METHOD}"]
        found = [apart["worst"], apart["mean"], *apart["held_out"].values()]
        lines.append(row(f"`{method}`", [signed(turned(one)) for one in found] + ["–"] * (len(columns) - len(found))))
    return "\n".join(lines)


def sites_table(name: str, methods: Summaries) -> str:
    """What each site has alone, under the base and under FedAID, and what it gains or loses: paired differences."""
    columns = (LOCAL, BASE, METHOD, f"{METHOD} − {LOCAL}", f"{METHOD} − {BASE}")
    lines = [row(f"{name}: site", columns), rule(columns)]
    of_base, of_local = methods[METHOD][f"difference_to_{BASE}"], methods[LOCAL][f"difference_to_{METHOD}"]
    for site in methods[METHOD]["sites"]:
        recalls = [f"{methods[method]['sites'][site]['mid']:.1f}" for method in (LOCAL, BASE, METHOD)]
        gains = [signed(turned(of_local["sites"][site])), signed(of_base["sites"][site])]
        lines.append(row(site, [*recalls, *gains]))
    return "\n".join(lines)


def short_table(sets: Mapping[str, Summaries]) -> str:
    """Worst site and mean of every method on all sets that have a result, in the order of the first."""
    sets = {name: methods for name, methods in sets.items() if methods}
    columns = [text for name in sets for text in (f"{name}: worst site", "mean")]
    lines = [row("method", columns), rule(columns)]
    of_all = [method for methods in sets.values() for method, _ in by_worst(methods)]
    for method in dict.fromkeys(of_all):
        found = [methods.get(method) for methods in sets.values()]
        lines.append(row(f"`{method}`", [cell for one in found for cell in two_cells(one)]))
    guesses = [f"{value:.1f}" for methods in sets.values() for value in chance_of(methods)]
    return "\n".join([*lines, row("a blind guess", guesses)])


def two_cells(found: Mapping[str, Any] | None) -> tuple[str, str]:
    """Worst site and mean of a method with their intervals in whole points, if it was run."""
    if found is None:
        return "–", "–"
    worst, usual = found["interval"]["worst"], found["interval"]["mean"]
    return f"{of(found, 'worst'):.1f} {whole(worst)}", f"{of(found, 'mean'):.1f} {whole(usual)}"


def whole(bounds: Sequence[float]) -> str:
    """Bounds of an interval in whole points, short."""
    return f"({bounds[0]:.0f}–{bounds[1]:.0f})"


def sweep_table(name: str, sweep: Mapping[str, Any]) -> str:
    """What the cells of a sweep give: means over their seeds."""
    columns = ("seeds", "mean", "worst site", "held out", "validation")
    lines = [row(f"sweep {name} of {sweep['of']}", columns), rule(columns)]
    for text, found in sweep["cells"].items():
        values = [f"{found[f'{over}_over_seeds']:.1f}" for over in ("mean", "worst", "held_out", "valid")]
        lines.append(row(text, [str(len(found["seeds"])), *values]))
    return "\n".join(lines)


def page(found: Mapping[str, Any]) -> Iterator[str]:
    """All tables of a benchmark's file."""
    yield short_table(found["sets"])
    for key, title in (("sets", "equal compute"), ("equal_time", "equal time")):
        for name, methods in found[key].items():
            yield f"### {name}, {title}\n\n{table(name, methods)}"
    for name, methods in found["sets"].items():
        if METHOD in methods:
            yield parts_table(name, methods)
        if methods.keys() >= {LOCAL, BASE, METHOD}:
            yield sites_table(name, methods)
    for name, sweep in found.get("sweeps", {}).items():
        yield sweep_table(name, sweep)


def main(arguments: Sequence[str]) -> None:
    """Print the tables of a file of ``bench-quality``."""
    (source,) = map(Path, arguments)
    print("\n\n".join(page(json.loads(source.read_text(encoding="utf-8")))))


if __name__ == "__main__":
    main(sys.argv[1:])
