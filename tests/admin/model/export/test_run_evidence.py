from __future__ import annotations

import json
from pathlib import Path

import pytest

from admin.model.export.run_evidence import evidence, evidence_of_run, evidence_of_state
from admin.results.run_results import RunResults, SiteResult
from tests.admin.model.export.trained_models import SITES


def test_mean_and_worst_are_over_sites_and_know_which_end_is_worse() -> None:
    found = evidence("validation", SITES.values(), rounds=5, pairs=None)
    assert found.metrics["recall_at_5"] == (0.375, 0.25)
    assert found.metrics["batch_accuracy"] == (0.5, 0.25)
    assert found.metrics["loss"] == (1.5, 2.0)
    assert (found.sites, found.measured_sites, found.studies) == (2, 2, 50)


def test_a_site_with_a_handful_of_studies_takes_no_part_in_the_numbers() -> None:
    few = SITES["south"] | {"studies": 9.0}
    found = evidence("test", [SITES["north"], few], rounds=5, pairs=10)
    assert found.metrics["recall_at_5"] == (0.5, 0.5)
    assert (found.sites, found.measured_sites, found.studies) == (2, 1, 30)


@pytest.mark.parametrize("order", [1, -1])
def test_a_metric_that_a_site_could_not_measure_is_left_out(order: int) -> None:
    without = {name: value for name, value in SITES["south"].items() if name != "loss"}  # a split below a batch
    found = evidence("test", [SITES["north"], without][::order], rounds=5, pairs=10)
    assert list(found.metrics) == ["recall_at_1", "recall_at_5", "recall_at_10", "batch_accuracy"]
    assert found.measured_sites == 2


def test_a_run_without_a_large_enough_split_has_no_metrics() -> None:
    assert evidence("test", [{}, SITES["north"] | {"studies": 3.0}], rounds=5, pairs=10).metrics == {}


def test_a_run_gives_its_pairs_and_its_test_splits(tmp_path: Path) -> None:
    sites = tuple(SiteResult(name, 100, 1.0, test, 0.5) for name, test in SITES.items())
    found = evidence_of_run(RunResults(9, 7, sites, (), tmp_path, {}))
    assert (found.split, found.rounds, found.pairs) == ("test", 7, 200)


def test_a_state_without_metrics_by_site_says_nothing(tmp_path: Path) -> None:
    assert evidence_of_state(tmp_path) is None
    (tmp_path / "state.json").write_text(json.dumps({"round": 1, "metrics": {"loss": 1.0}}))
    assert evidence_of_state(tmp_path) is None


def test_a_state_gives_its_validation_splits(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text(json.dumps({"round": 5, "metrics": SITES}))
    found = evidence_of_state(tmp_path)
    assert found is not None
    assert (found.split, found.rounds, found.pairs) == ("validation", 5, None)
    assert found.metrics["recall_at_1"] == pytest.approx((0.1875, 0.125))
