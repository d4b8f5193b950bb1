"""Writes a run's report card: one page and its JSON."""

from __future__ import annotations

import json
from pathlib import Path

from admin.results.report.card import report_card
from admin.results.report.card_page import comparison_page, report_page
from admin.results.report.films.site_pictures import site_pictures
from admin.results.report.run_comparison import compare_cards, comparison_text
from admin.results.report.run_files import read_run_files
from fedaid.atomic_file import write_private
from fedaid.errors import require

HTML, JSON = "report.html", "report.json"
COMPARED_HTML, COMPARED_JSON = "comparison.html", "comparison.json"


def write_report(
    run: Path,
    *,
    out: Path,
    evaluation: Path | None = None,
    sites: Path | None = None,
    allow_examples: bool = False,
) -> Path:
    """Write ``report.html`` and ``report.json`` of a finished run into ``out``; return the page's path.

    Args:
        run: its folder, as :func:`admin.results.run_results.read_results` takes it.
        out: folder; created if absent.
        evaluation: run folder of the evaluation job.
        sites: prepared data of one site or of several, see :func:`admin.results.report.films.held_out.site_folders`.
        allow_examples: whether images and reports may be in the page.

    Raises:
        InputError: if an argument cannot be used.
    """
    rule, remedy = "be used with --sites", "Give --sites too, or leave --allow-examples out."
    usable = sites is not None or not allow_examples
    require(usable, "--allow-examples", rule, got="no --sites", where="command line", remedy=remedy)
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


def write_comparison(run: Path, other: Path, *, out: Path) -> tuple[Path, str]:
    """Write ``comparison.html`` and ``comparison.json`` of two finished runs; return the page's path and a table.

    Args:
        run, other: their folders, as :func:`admin.results.run_results.read_results` takes them.
        out: folder; created if absent.

    Raises:
        InputError: if one of the runs did not finish, or both are one folder.
    """
    remedy = "Give the folder of another run."
    same = run.resolve() == other.resolve()
    require(not same, "--against", "be another run", got=str(other), where="command line", remedy=remedy)
    found = compare_cards(*(report_card(read_run_files(folder)) for folder in (run, other)))
    out.mkdir(parents=True, exist_ok=True)
    (out / COMPARED_JSON).write_text(json.dumps(found, indent=1, allow_nan=False), encoding="utf-8")
    (out / COMPARED_HTML).write_text(comparison_page(found), encoding="utf-8")
    return out / COMPARED_HTML, comparison_text(found)
