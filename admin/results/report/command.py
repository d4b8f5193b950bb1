"""``python -m admin report RUN_FOLDER``: who gained from a run, and what it is worth, as one page and as JSON.

The page holds aggregates only and needs no network. With --sites it is made where the data lie and holds a point for
every test study; with --allow-examples images and reports too. Then it is readable by its owner only, and says so.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from admin.results.report.card import report_card
from admin.results.report.card_page import report_page
from admin.results.report.films.site_pictures import site_pictures
from admin.results.report.run_files import read_run_files
from fedaid.atomic_file import write_private
from fedaid.errors import InputError, require

OK, FAILED = 0, 1
HTML, JSON = "report.html", "report.json"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m admin report", description=__doc__)
    parser.add_argument("run", type=Path, metavar="RUN_FOLDER", help="the run's folder that holds app_server")
    parser.add_argument("--evaluation", type=Path, help="run folder of evaluate_global (default: RUN_FOLDER)")
    parser.add_argument("--sites", type=Path, help="prepared data of one site, or a folder of several")
    parser.add_argument("--allow-examples", action="store_true", help="put images and reports into the page")
    parser.add_argument("--out", type=Path, help="where the two files go (default: RUN_FOLDER)")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Write the report card, print where it lies, and return the exit code."""
    options = parser().parse_args(arguments)
    try:
        page = write_report(
            options.run,
            evaluation=options.evaluation,
            sites=options.sites,
            allow_examples=options.allow_examples,
            out=options.out or options.run,
        )
    except (InputError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    print(page)
    return OK


def write_report(
    run: Path,
    *,
    out: Path,
    evaluation: Path | None = None,
    sites: Path | None = None,
    allow_examples: bool = False,
) -> Path:
    """Write ``report.html`` and ``report.json`` of a finished run into ``out``, and return the page's path.

    Args:
        run: its folder, as :func:`admin.results.run_results.read_results` takes it.
        out: made if absent.
        evaluation: run folder of the evaluation job.
        sites: prepared data of one site or of several, see :func:`admin.results.report.films.held_out.site_folders`.
        allow_examples: whether images and reports may be in the page.

    Raises:
        InputError: if something that was given cannot be used.
    """
    rule, remedy = "come with --sites", "Give the folder of the prepared data, or leave it out."
    require(
        sites is not None or not allow_examples,
        "--allow-examples",
        rule,
        got="it alone",
        where="command line",
        remedy=remedy,
    )
    files = read_run_files(run, evaluation)
    out.mkdir(parents=True, exist_ok=True)
    pictures = None
    if sites is not None:
        pictures = site_pictures(files.model, sites, allow_examples=allow_examples, scratch=out)
    card = report_card(files, pictures)
    (out / JSON).write_text(json.dumps(card, indent=1, allow_nan=False), encoding="utf-8")
    page = report_page(card, pictures=pictures)
    if pictures:
        write_private(out / HTML, page)
    else:
        (out / HTML).write_text(page, encoding="utf-8")
    return out / HTML


if __name__ == "__main__":
    sys.exit(main())
