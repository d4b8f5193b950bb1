from __future__ import annotations

from pathlib import Path

from admin.results.report.data_statement import at_least, data_statement
from admin.results.report.run_files import RunFiles, read_run_files
from tests.admin.results.report.card_folder import change


def test_each_site_tells_its_splits_and_why_studies_were_skipped(plain: RunFiles) -> None:
    lake = data_statement(plain)[0]
    assert (lake["site"], lake["train"], lake["test"]) == ("lake", "10", "20")
    assert lake["skipped"] == {"image-missing": "12", "report-empty": "<5"}


def test_small_counts_are_not_reported() -> None:
    assert [at_least(count) for count in (0, 1, 4, 5, 6.0)] == ["0", "<5", "<5", "5", "6"]


def test_a_site_that_never_gave_an_update_has_its_row(run: Path) -> None:
    change(run, lambda results: (results["pairs"].pop("north"), results["best"].pop("north")))
    north = data_statement(read_run_files(run))[1]
    assert (north["site"], north["train"], north["test"]) == ("north", None, None)
