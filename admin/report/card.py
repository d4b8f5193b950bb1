"""The report card as plain JSON: every number of the page is one of these."""

from __future__ import annotations

from typing import Any

from admin.report import findings
from admin.report.cross_sites import cross_sites
from admin.report.data_statement import data_statement
from admin.report.exchange import exchange, refusals
from admin.report.gains import gains
from admin.report.learning import learning
from admin.report.provenance import hashes, settings, versions
from admin.report.recalls import headline
from admin.report.run_files import RunFiles
from admin.report.site_pictures import HOW, HOW_EXAMPLES, SitePictures
from admin.report.weight_moves import weight_moves

FORMAT = 1


def report_card(files: RunFiles, pictures: SitePictures | None = None) -> dict[str, Any]:
    """All that the page says, by section; a section without its input has a sentence under ``missing``."""
    return {
        "format": FORMAT,
        "run": run_facts(files),
        "headline": headline(files),
        "gains": gains(files),
        "matrix": cross_sites(files),
        "learning": learning(files),
        "weights": weight_moves(files),
        "zero_shot": findings.zero_shot(files),
        "linear_probe": findings.linear_probe(files),
        "calibration": findings.calibration(files),
        "subgroups": findings.subgroups(files),
        "geometry": findings.geometry(files),
        "embedding": dict(pictures.summary) if pictures else {"missing": HOW},
        "examples": {"count": len(pictures.examples)} if pictures and pictures.examples else {"missing": HOW_EXAMPLES},
        "exchange": exchange(files),
        "refused": refusals(files),
        "data": data_statement(files),
        "settings": settings(files),
        "hashes": hashes(files),
        "versions": versions(),
    }


def run_facts(files: RunFiles) -> dict[str, Any]:
    """Which run this is; what the folder does not tell is null."""
    known = {name: files.meta.get(name) or None for name in ("name", "job_id", "submit_time_iso", "duration", "status")}
    chosen = {"best_round": files.results["best_round"], "selection_metric": files.results.get("selection_metric")}
    return {**known, "sites": files.sites, "rounds": files.results["round"], **chosen}
