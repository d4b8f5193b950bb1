"""Compare methods on sites' data on this machine, in plain Python without FLARE: recall at 5 with intervals.

  python -m admin compare --data build/demo/sites --methods local fedavg fedaid --seeds 0 1 2 --rounds 5
  python -m admin compare --data build/sites --set pretrain_steps=30 --set batch_size=16 --out build/compare

Model and settings are those of jobs/fedaid_pretrain; --set changes them as in python -m admin package. A trial is one
method with one seed. OUT keeps every finished trial, so the same command continues an interrupted comparison.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from admin.verbs.answer import Answer
from admin.verbs.verb_parser import existing_folder

if TYPE_CHECKING:
    from admin.study.compare.comparison import Comparison

METHODS = ("local", "fedavg", "fedaid")
PLOT = "compare.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``compare``."""
    parser.add_argument(
        "--data",
        type=existing_folder,
        required=True,
        metavar="DIR",
        help="folder with one folder for each prepared site",
    )
    parser.add_argument(
        "--held-out",
        type=existing_folder,
        nargs="+",
        default=[],
        metavar="DIR",
        help="data folders that are only tested on, and belong to no site",
    )
    parser.add_argument(
        "--methods",
        nargs="+",
        default=METHODS,
        metavar="METHOD",
        help="python -m admin package --list-methods prints them; also local and pooled (default: local fedavg fedaid)",
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], metavar="SEED", help="default: 0 1 2")
    parser.add_argument("--rounds", type=int, help="of each trial (default: the job's)")
    parser.add_argument(
        "--set", dest="pairs", action="append", default=[], metavar="NAME=VALUE", help="a setting; repeatable"
    )
    parser.add_argument("--processes", type=int, help="trials at a time, each on one core (default: all cores)")
    parser.add_argument("--out", type=Path, default=Path("build/compare"), help="default: %(default)s")


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Run the trials that have no result yet, and print a table of all."""
    answer.after_interrupt = "finished trials are kept, and the same command continues"
    from admin.study.compare.comparison import SUMMARY
    from admin.study.compare.summary_plot import draw_summaries
    from admin.study.compare.summary_table import table
    from admin.study.compare.trial_bar import TrialBar

    comparison = comparison_of(options)
    with TrialBar("trials", len(options.seeds) * len(options.methods)) as bar:
        processes = options.processes or len(os.sched_getaffinity(0))
        found = comparison.run(processes=processes, watch=bar.watch, give_up=bar.give_up)
    answer.add(table("recall at 5, in points", found), methods=found, failed=bar.failed)
    if found:
        draw_summaries({f"{len(comparison.sites)} sites": found}).savefig(options.out / PLOT, dpi=130)
        files = {"summary": options.out / SUMMARY, "plot": options.out / PLOT}
        answer.add(f"written: {files['summary']}, {files['plot']}", **files)
    if bar.failed:
        raise RuntimeError("; ".join(bar.failed.values()))


def comparison_of(options: argparse.Namespace) -> Comparison:
    """Return the comparison that the command line asks for."""
    from admin.jobs.methods import method_named
    from admin.results.report.films.held_out import site_folders
    from admin.study.compare.comparison import Comparison, job_changed

    model, settings = job_changed(options.pairs, options.rounds)
    held_out: dict[str, Path] = {}
    for folder in options.held_out:
        held_out |= site_folders(folder, option="--held-out")
    return Comparison(
        sites=site_folders(options.data, option="--data"),
        methods=[method_named(name).name for name in dict.fromkeys(options.methods)],
        seeds=list(dict.fromkeys(options.seeds)),
        model=model,
        settings=settings,
        out=options.out,
        held_out=held_out,
    )
