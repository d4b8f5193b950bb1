"""Check a packaged job before you submit it: classes, settings, code, links and names.

With the folder of a finished run, check its ledger instead: every line of what the server accepted, refused and
committed.

  python -m admin check build/jobs/fedaid_pretrain
  python -m admin check results/JOB_ID/workspace
"""

from __future__ import annotations

import argparse
from pathlib import Path

from admin.verbs.answer import Answer
from admin.verbs.verb_parser import existing_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``check``."""
    about = "a job, made by python -m admin package, or the folder of a finished run"
    parser.add_argument("job", type=existing_folder, metavar="JOB_FOLDER", help=about)


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Check the job, and print how many classes were imported; or check the run, and print what its ledger has."""
    folder = options.job.resolve()
    if (folder / "app_server").is_dir():
        check_run(folder, answer)
        return
    from admin.jobs.job_check import check_job

    checked = check_job(folder)
    answer.add(f"sound: {checked} class paths import and take their settings", class_paths=checked)


def check_run(folder: Path, answer: Answer) -> None:
    """Check the ledger of a finished run.

    Raises:
        InputError: with one line for each fault.
    """
    from admin.results.ledger_check import require_sound_ledger

    found = require_sound_ledger(folder)
    text = (
        f"sound: {found.lines} lines, {found.rounds} rounds with one commit each, "
        f"{found.accepted} answers accepted, {found.refused} refused"
    )
    answer.add(text, lines=found.lines, rounds=found.rounds, accepted=found.accepted, refused=found.refused)
