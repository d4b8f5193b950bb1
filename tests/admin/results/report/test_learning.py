from __future__ import annotations

from pathlib import Path

from admin.results.report.card import learning
from admin.results.report.run_files import RunFiles, read_run_files
from tests.admin.results.report.card_folder import LOSSES, RECALLS, change, without


def test_a_curve_has_the_start_every_round_and_the_end(plain: RunFiles) -> None:
    curves = learning(plain)["curves"]
    assert curves["loss"]["lake"] == [[n, loss] for n, loss in enumerate(LOSSES["lake"])]
    assert curves["recall_at_5"]["north"] == [[n, recall] for n, recall in enumerate(RECALLS["north"])]


def test_a_round_that_a_site_missed_is_left_out_of_its_curve(run: Path) -> None:
    change(run, lambda results: results["history"][1]["valid"].pop("lake"))
    assert [number for number, _ in learning(read_run_files(run))["curves"]["loss"]["lake"]] == [0, 2]


def test_a_metric_that_nobody_reported_has_no_chart(run: Path) -> None:
    def no_recall(results: dict[str, list[dict[str, dict[str, dict[str, float]]]]]) -> None:
        for entry in results["history"]:
            for metrics in entry["valid"].values():
                del metrics["recall_at_5"]

    change(change(run, no_recall), without("last"))
    assert set(learning(read_run_files(run))["curves"]) == {"loss"}
