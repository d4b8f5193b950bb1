"""``python -m tests.benchmarks.help_time``: processor seconds of every verb's ``--help``, as a table."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from admin.verbs.verb_table import VERBS

ROOT = Path(__file__).parents[2]
GOAL = 0.5  # seconds of user and system time
TIMES = 3  # the least of so many runs: others on the machine only add


def help_seconds(verb: str) -> float:
    """Processor seconds, user and system, of one ``python -m admin VERB --help``."""
    before = processor_seconds()
    subprocess.run([sys.executable, "-m", "admin", verb, "--help"], cwd=ROOT, capture_output=True, check=True)
    return processor_seconds() - before


def processor_seconds() -> float:
    """Of all processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def table(seconds: dict[str, float]) -> str:
    """The verbs in the order of use, as Markdown."""
    lines = ["| verb | processor seconds of --help |", "|---|---|"]
    return "\n".join([*lines, *(f"| {verb} | {spent:.2f} |" for verb, spent in seconds.items())])


def main(verbs: Sequence[str] = tuple(VERBS)) -> int:
    """Print the table; 1 if a verb takes more than :data:`GOAL`."""
    seconds = {verb: min(help_seconds(verb) for _ in range(TIMES)) for verb in verbs}
    print(table(seconds))
    slow = [verb for verb, spent in seconds.items() if spent > GOAL]
    print(f"above {GOAL} s: {', '.join(slow) or 'no verb'}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
