"""Write a run's report card, as one page and as JSON: which sites gained, and how much.

The page holds aggregates only and needs no network. With --sites, run it where the data lie: the page then has a point
for every test study, and with --allow-examples images and reports too. Such a page is readable by its owner only.

  python -m admin report results/JOB_ID/workspace --evaluation results/EVALUATION_JOB_ID/workspace
  python -m admin report results/JOB_ID/workspace --against results/OTHER_JOB_ID/workspace    two runs side by side
"""

from __future__ import annotations

import argparse
from pathlib import Path

from admin.verbs.answer import Answer
from admin.verbs.verb_parser import UsageError, existing_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``report``."""
    parser.add_argument("run", type=existing_folder, metavar="RUN_FOLDER", help="the folder that holds app_server")
    parser.add_argument(
        "--evaluation", type=existing_folder, help="run folder of the job evaluate_global (default: RUN_FOLDER)"
    )
    parser.add_argument(
        "--against",
        type=existing_folder,
        metavar="RUN_FOLDER",
        help="another run: print and write what differs (comparison.html, comparison.json) instead of a report card",
    )
    parser.add_argument("--sites", type=existing_folder, help="prepared data of one site, or a folder of several")
    parser.add_argument("--allow-examples", action="store_true", help="put images and reports into the page")
    parser.add_argument("--out", type=Path, help="folder of report.html and report.json (default: RUN_FOLDER)")


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Write the report card, and print the page's path."""
    answer.after_interrupt = "no report card was written"
    from admin.results.report.report_files import COMPARED_JSON, JSON, write_comparison, write_report

    if options.against is not None:
        if options.sites or options.evaluation or options.allow_examples:
            raise UsageError("--against takes only --out: the two runs are compared by what their folders hold")
        page, table = write_comparison(options.run, options.against, out=options.out or options.run)
        answer.add(f"{table}\n\n{page}", page=page, comparison=page.with_name(COMPARED_JSON))
        return
    names = ("evaluation", "sites", "allow_examples")
    given = {name: getattr(options, name) for name in names}
    page = write_report(options.run, out=options.out or options.run, **given)
    answer.add(str(page), page=page, card=page.with_name(JSON))
