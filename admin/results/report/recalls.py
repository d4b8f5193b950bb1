"""Recall at 5 on the sites' test splits: what the page begins with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from admin.results.report.data_statement import LEAST
from admin.results.report.run_files import RunFiles
from admin.results.report.share_intervals import Interval, mean_of, wilson
from admin.results.report.suite_numbers import GLOBAL, counts_of_test, retrieval, suites_of

ROUGH = (
    "Intervals are Wilson's at 95 %, as if every study were of another patient, and chance is that of reports that all "
    "differ: with several studies of a patient the ones are too narrow, with equal reports the other is too low. The "
    "evaluation job knows both."
)
BOOTSTRAP = "Intervals are the evaluation's at 95 %, by bootstrap over patients."
MANY, RECALL = 5, "recall_at_"


def chance_at_5(texts: int) -> float:
    """Recall at 5 of a blind guess at a site with so many different texts.

    An image finds its text among them. A text finds any of its images, of which there are as many times more as there
    are images to a text, so that the chance is about the same, and not above.
    """
    return min(1.0, MANY / texts)


def headline(files: RunFiles) -> dict[str, Any]:
    """Recall at 5 of the best model at each site, its mean and its worst, each with its interval and chance.

    Sites without a test split, or with too small a one, are named under ``untested``.
    """
    rows = rows_of_sites(files)
    untested = [site for site in files.sites if site not in {row["site"] for row in rows}]
    out: dict[str, Any] = {
        "sites": rows,
        "untested": untested,
        "note": BOOTSTRAP if suites_of(files.evaluation, GLOBAL) else ROUGH,
    }
    if not rows:
        return out | {"missing": "No site has a test split of enough studies: nothing tells what the model is worth."}
    worst = min(rows, key=lambda row: row["recall_at_5"]["value"])
    mean = mean_of([Interval(**row["recall_at_5"]) for row in rows])
    chance = sum(row["chance"] for row in rows) / len(rows)
    return out | {"mean": {"recall_at_5": mean.as_dict(), "chance": chance}, "worst": worst}


def rows_of_sites(files: RunFiles) -> list[dict[str, Any]]:
    """One row a site that has a test split, from the evaluation where there is one, else from the run itself."""
    suites = suites_of(files.evaluation, GLOBAL)
    if suites:
        told = {site: retrieval(suite) for site, suite in sorted(suites.items())}
        return [row_of(site, recalls, **counts_of_test(suites[site])) for site, recalls in told.items() if recalls]
    splits = {site: files.results["best"].get(site, {}).get("test") for site in files.sites}
    return [row_of_run(site, test) for site, test in splits.items() if test and test["studies"] >= LEAST]


def row_of_run(site: str, test: Mapping[str, float]) -> dict[str, Any]:
    """A site's row from the metrics of its test split that the run itself took, which does not count equal texts."""
    studies = int(test["studies"])
    recalls = {name: wilson(value, studies) for name, value in test.items() if RECALL in name}
    return row_of(site, recalls, studies=studies, texts=studies)


def row_of(site: str, recalls: Mapping[str, Interval], *, studies: int, texts: int) -> dict[str, Any]:
    """A site's row; ``recalls`` are those at 1, 5 and 10, each way and the mean of both."""
    found = {name: recall.as_dict() for name, recall in recalls.items() if RECALL in name}
    head = {"site": site, "studies": studies, "recall_at_5": found["recall_at_5"]}
    return head | {"chance": chance_at_5(texts), "recalls": found}
