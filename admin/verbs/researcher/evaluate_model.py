"""Evaluate a trained model on sites' data on this machine, with the suite and settings of the job evaluate_global.

  python -m admin evaluate build/demo/model --data build/demo/sites
  python -m admin evaluate MODEL_FOLDER --data site-a site-b --out build/evaluation.json

The results are aggregates: docs/evaluation.md explains them. The JSON has the keys of the job's evaluation.json.

The exit code is 0 if a site reports a metric, and 1 if none does: a site with few test patients reports none.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from admin.verbs.answer import Answer
from admin.verbs.verb_parser import UsageError, existing_file, existing_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``evaluate``."""
    parser.add_argument(
        "model", type=existing_folder, metavar="MODEL_FOLDER", help="left by a run, such as build/demo/model"
    )
    parser.add_argument(
        "--data",
        type=existing_folder,
        nargs="+",
        required=True,
        metavar="SITE_DIR",
        help="prepared data of a site, or a folder of several",
    )
    parser.add_argument(
        "--prompts", type=existing_file, metavar="FILE", help="findings of your own, with prompts and labels"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the result as JSON")


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Evaluate the model at each site, and print a table.

    Raises:
        RuntimeError: no site has enough test patients for a metric.
    """
    answer.after_interrupt = "no result was written"
    from admin.results.achievement import no_evaluation, withheld_metrics
    from admin.results.report.films.held_out import site_folders
    from admin.results.report.suite_numbers import GLOBAL
    from admin.study.model_evaluation import evaluate_model, evaluation_table

    sites: dict[str, Path] = {}
    for folder in options.data:
        found = site_folders(folder, option="--data")
        if twice := sorted(sites.keys() & found):
            raise UsageError(f"--data has two sites named {', '.join(twice)}. Rename a folder")
        sites |= found
    result = evaluate_model(options.model, sites, prompts=options.prompts)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=1, sort_keys=True), encoding="utf-8")
    answer.add(evaluation_table(result), **result)
    if options.out:
        answer.add(f"written: {options.out}", written=options.out)
    if nothing := no_evaluation(result):
        raise RuntimeError(nothing)
    for line in withheld_metrics(result["models"][GLOBAL]):
        answer.warn(line)
