"""Run a packaged job in FLARE's simulator: all sites on this machine, without certificates.

python -m admin simulate build/jobs/fedaid_pretrain --sites a b c --data DIR --workspace build/simulation
"""

from __future__ import annotations

import argparse
from pathlib import Path

from admin.verbs.answer import Answer
from admin.verbs.verb_parser import existing_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``simulate``."""
    parser.add_argument("job", type=existing_folder, metavar="JOB_FOLDER", help="made by python -m admin package")
    parser.add_argument("--workspace", type=Path, default=Path("build/simulation"), help="default: %(default)s")
    parser.add_argument("--sites", nargs="+", required=True, help="names of the sites")
    parser.add_argument("--data", type=existing_folder, required=True, help="folder with one folder for each site")
    parser.add_argument("--threads", type=int, help="sites at a time (default: all)")
    parser.add_argument("--runs", type=Path, help="folder that keeps the run, to continue it (default: the workspace)")
    parser.add_argument("--timeout", type=float, default=1800.0, help="seconds (default: %(default)s)")


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Simulate the job, and print the server's run folder; which sites missed which rounds goes to standard error."""
    answer.after_interrupt = "the simulation was ended"
    from admin.federation.simulate import simulate
    from admin.results.achievement import nothing_achieved
    from admin.results.missed_rounds import missed_in
    from admin.results.run_results import software_differences

    names = ("workspace", "sites", "data", "threads", "timeout", "runs")
    folder = simulate(options.job, **{name: getattr(options, name) for name in names})
    answer.add(str(folder), run_folder=folder)
    for line in software_differences(folder):
        answer.warn(line)
    missed = missed_in(folder)
    answer.note(missed, missed=missed.splitlines())
    lack = nothing_achieved(folder)
    if lack:
        raise RuntimeError(f"the job has no results: {lack}")
