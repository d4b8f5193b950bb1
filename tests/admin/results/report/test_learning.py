from __future__ import annotations

from pathlib import Path

import pytest

from admin.results.report.card import learning, still_gaining
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


def test_a_run_that_still_learns_is_said_to(plain: RunFiles) -> None:
    assert learning(plain)["still_gaining"] == pytest.approx(25.0), "from 25 to 75 points in two rounds"


@pytest.mark.parametrize(
    ("recalls", "rise"),
    [
        ((0.1, 0.5, 0.52, 0.53), 1.5),
        ((0.1, 0.5, 0.505, 0.51), None),
        ((0.1, 0.4, 0.5, 0.49), None),
        ((0.1, 0.3), 20.0),
        ((0.1,), None),
    ],
)
def test_only_the_last_two_rounds_say_whether_a_run_converged(recalls: tuple[float, ...], rise: float | None) -> None:
    curves = {"lake": list(enumerate(recalls))}
    assert still_gaining(curves, len(recalls) - 1) == (None if rise is None else pytest.approx(rise))


def test_a_site_that_missed_a_last_round_does_not_count() -> None:
    curves = {"lake": [(0, 0.1), (1, 0.2), (2, 0.3)], "north": [(0, 0.1), (2, 0.9)]}
    assert still_gaining(curves, 2) == pytest.approx(10.0)
    assert still_gaining({"north": curves["north"]}, 2) is None
    assert still_gaining({}, 2) is None
