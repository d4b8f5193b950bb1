from __future__ import annotations

from pathlib import Path
from typing import Any

from admin.results.report.finding_tables import (
    MISSING,
    UNLABELLED,
    calibration,
    geometry,
    linear_probe,
    multiclass,
    subgroups,
    zero_shot,
)
from admin.results.report.run_files import RunFiles, read_run_files
from tests.admin.results.report.evaluation_folder import GEOMETRY, untold, write_evaluation


def test_without_an_evaluation_each_part_says_what_to_run(plain: RunFiles) -> None:
    for part in (zero_shot, multiclass, linear_probe, calibration, subgroups, geometry):
        assert part(plain)["missing"] == MISSING


def test_a_finding_is_reported_at_each_site_with_its_inverted_flag(judged: RunFiles) -> None:
    rows = {(row["site"], row["finding"]): row for row in zero_shot(judged)["rows"]}
    assert rows["lake", "Cardiomegaly"]["auroc"]["value"] == 0.81
    assert rows["north", "Edema"]["inverted"]
    assert not rows["north", "Cardiomegaly"]["inverted"]


def test_a_suppressed_finding_keeps_its_row_without_a_number(judged: RunFiles) -> None:
    row = next(row for row in zero_shot(judged)["rows"] if row["finding"] == "Fracture")
    assert (row["positives"], row["auroc"]) == ("<5", None)


def test_mean_precision_is_told_by_bins_and_names_what_it_leaves_out(judged: RunFiles) -> None:
    found = zero_shot(judged)
    assert [(row["site"], row["bin"], row["value"]) for row in found["precision"]] == [
        ("lake", "all", 0.43), ("lake", "head", 0.47), ("north", "all", 0.43), ("north", "head", 0.47),
    ]  # fmt: skip
    assert found["left_out"] == {"lake": ["Fracture"], "north": ["Fracture"]}


def test_accuracy_among_five_findings_has_its_chance_and_the_patients_of_each(judged: RunFiles) -> None:
    row = multiclass(judged)["rows"][0]
    assert (row["site"], row["accuracy"]["value"], row["chance"]) == ("lake", 0.52, 0.25)
    assert row["classes"]["Consolidation"] == {"patients": "<5", "accuracy": None}


def test_a_probe_that_could_not_be_fitted_has_no_row(judged: RunFiles) -> None:
    assert [(row["site"], row["share"]) for row in linear_probe(judged)["rows"]] == [("lake", 1.0), ("north", 1.0)]


def test_calibration_is_reported_by_what_gave_the_probabilities(judged: RunFiles) -> None:
    assert calibration(judged)["rows"][0] == {"site": "lake", "of": "zero_shot", "error": 0.2, "findings": 1}


def test_subgroups_are_reported_with_the_gap_between_best_and_worst(judged: RunFiles) -> None:
    found = subgroups(judged)
    assert [row["group"] for row in found["rows"]] == ["F", "M"] * 2
    assert found["rows"][0]["macro_auroc"] is None
    told = [(gap["of"], gap["best"], gap["worst"], gap["value"]) for gap in found["gaps"][:2]]
    assert told == [("recall_at_5", "M", "F", 0.1), ("macro_auroc", "F", "M", 0.04)]


def test_the_geometry_of_each_site_is_reported(judged: RunFiles) -> None:
    rows = geometry(judged)["rows"]
    assert [row["site"] for row in rows] == ["lake", "north"]
    assert {name: row["value"] for name, row in rows[0].items() if name != "site"} == GEOMETRY


def test_sites_that_could_tell_nothing_are_no_missing_evaluation(run: Path, tmp_path: Path) -> None:
    models: dict[str, dict[str, Any]] = {"global": {"lake": untold(), "north": untold()}}
    files = read_run_files(run, write_evaluation(tmp_path / "few", models))
    assert zero_shot(files)["missing"] == UNLABELLED
