"""Take the walk: every step of the pages in one folder, and what each did."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from admin.twin.consortium import DEMO_HOSPITALS, write_consortium
from tests.walk.placeholders import command_of, rules_of
from tests.walk.route import ROUTE, STEPS
from tests.walk.step import Outcome, Step
from tests.walk.world import SITES, World

STUDIES = (120, 100, 80)


def write_data(folder: Path) -> dict[str, Path]:
    """Three small hospitals: site → its data."""
    hospitals = [
        replace(hospital, name=site, studies=studies)
        for hospital, site, studies in zip(DEMO_HOSPITALS, SITES, STUDIES, strict=True)
    ]
    write_consortium(folder, hospitals=hospitals, image_size=64)
    return {site: folder / site for site in SITES}


@contextmanager
def walked(folder: Path) -> Iterator[dict[Step, Outcome]]:
    """What each step did; the processes of the walk end with the block."""
    print("\n".join(rules_of(STEPS)), flush=True)
    world = World(folder / "world", write_data(folder / "hospitals"))
    try:
        for stop in ROUTE:
            if isinstance(stop, Step):
                report(world.take(stop, command_of(stop, world)))
            else:
                stop(world)
        yield {outcome.step: outcome for outcome in world.outcomes}
    finally:
        world.close()


def report(outcome: Outcome) -> None:
    """Print a step as it is taken, and the answer of one that went wrong."""
    shown = outcome.step.line if outcome.step.at == "python" else outcome.command
    state = "WRONG" if outcome.wrong else "ok"
    print(f"{state} {outcome.step.page}.md: {shown} ({outcome.seconds:.0f} s)", flush=True)
    if outcome.wrong:
        print(*outcome.wrong, outcome.output[-1500:], sep="\n    ", flush=True)
