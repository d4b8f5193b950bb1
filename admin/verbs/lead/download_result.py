"""Fetch a finished job's result: the server's run folder with models, metrics and logs.

python -m admin download JOB_ID --kit KIT --out results
"""

from __future__ import annotations

import argparse
from pathlib import Path

from admin.verbs.answer import Answer
from admin.verbs.verb_parser import existing_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``download``."""
    parser.add_argument("job_id", metavar="JOB_ID", help="printed by python -m admin submit")
    parser.add_argument(
        "--kit", type=existing_folder, required=True, help="startup kit of the lead or the project admin"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("build/results"), help="folder of the results (default: %(default)s)"
    )


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Fetch the result, and print its folder."""
    answer.after_interrupt = f"remove the incomplete folder {options.out / options.job_id}, then repeat the command"
    from admin.results.run_results import software_differences
    from admin.session.download import download
    from admin.session.login import admin_session

    with admin_session(options.kit) as session:
        result = download(session, options.job_id, options.out)
    answer.add(f"{result}\nreport: python -m admin report {result / 'workspace'}", job_id=options.job_id, result=result)
    for line in software_differences(result / "workspace"):
        answer.warn(line)
