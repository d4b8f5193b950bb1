"""Check a packaged job before you submit it: classes, settings, code, links and names.

python -m admin check build/jobs/fedaid_pretrain
"""

from __future__ import annotations

import argparse

from admin.verbs.answer import Answer
from admin.verbs.verb_parser import existing_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``check``."""
    parser.add_argument("job", type=existing_folder, metavar="JOB_FOLDER", help="made by python -m admin package")


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Check the job, and print how many classes were imported."""
    from admin.jobs.job_check import check_job

    checked = check_job(options.job.resolve())
    answer.add(f"sound: {checked} class paths import and take their settings", class_paths=checked)
