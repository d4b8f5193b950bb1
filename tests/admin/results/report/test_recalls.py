from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from admin.results.report.card import report_card
from admin.results.report.card_page import report_page
from admin.results.report.gains import gains
from admin.results.report.recalls import BOOTSTRAP, ROUGH, chance_at_5, cross_sites, headline
from admin.results.report.run_files import RunFiles, read_run_files
from fedaid.evaluation.retrieval import retrieval
from tests.admin.results.report.card_folder import change
from tests.admin.results.report.evaluation_folder import untold, write_evaluation


def test_without_an_evaluation_the_runs_own_recalls_are_reported(plain: RunFiles) -> None:
    found = headline(plain)
    assert [row["recall_at_5"]["value"] for row in found["sites"]] == pytest.approx([0.75, 0.55])
    assert found["mean"]["recall_at_5"]["value"] == pytest.approx(0.65)
    assert (found["worst"]["site"], found["worst"]["recall_at_5"]["value"]) == ("north", pytest.approx(0.55))
    assert found["note"] == ROUGH


def test_an_evaluation_is_believed_before_the_run(judged: RunFiles) -> None:
    found = headline(judged)
    assert [row["recall_at_5"] for row in found["sites"]] == [
        {"value": 0.7, "low": 0.65, "high": 0.75},
        {"value": 0.6, "low": 0.55, "high": 0.65},
    ]
    assert found["note"] == BOOTSTRAP


def test_both_ways_are_reported_at_each_cut(plain: RunFiles, judged: RunFiles) -> None:
    recalls = headline(plain)["sites"][0]["recalls"]
    assert len(recalls) == 9
    assert recalls["text_to_image_recall_at_10"]["value"] == pytest.approx(0.7)
    assert headline(judged)["sites"][0]["recalls"]["image_to_text_recall_at_5"]["value"] == pytest.approx(0.7123)


def test_chance_is_five_guesses_among_the_different_texts() -> None:
    assert chance_at_5(40) == pytest.approx(5 / 40)
    assert chance_at_5(3) == 1


def test_a_blind_guess_both_ways_is_not_above_chance() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(30), rng.integers(1, 4, 30))
    found = [
        retrieval(unit(rng, len(groups)), unit(rng, 30)[groups], groups, ks=(5,))["recall_at_5"] for _ in range(300)
    ]
    assert np.mean(found) == pytest.approx(chance_at_5(30), abs=0.02)
    assert np.mean(found) <= chance_at_5(30) + 0.005


def unit(rng: np.random.Generator, rows: int) -> np.ndarray:
    drawn = rng.normal(size=(rows, 16))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def test_a_test_split_too_small_to_tell_of_is_named_and_not_reported(run: Path) -> None:
    change(run, lambda results: results["best"]["lake"]["test"].update(studies=4.0))
    found = headline(read_run_files(run))
    assert (found["untested"], [row["site"] for row in found["sites"]]) == (["lake"], ["north"])


def test_a_site_without_a_test_split_is_named(run: Path) -> None:
    change(run, lambda results: results["best"]["lake"].pop("test"))
    found = headline(read_run_files(run))
    assert (found["untested"], len(found["sites"])) == (["lake"], 1)


def test_no_test_split_at_all_is_said(run: Path) -> None:
    change(run, lambda results: [splits.pop("test") for splits in results["best"].values()])
    assert "no site has a test split" in headline(read_run_files(run))["missing"]


def test_a_site_with_too_few_patients_is_named(run: Path, tmp_path: Path, models: dict[str, Any]) -> None:
    models["global"]["north"] = untold()
    found = headline(read_run_files(run, write_evaluation(tmp_path / "few", models)))
    assert (found["untested"], found["worst"]["site"]) == (["north"], "lake")


def test_the_shared_model_comes_first_then_the_sites_own(judged: RunFiles) -> None:
    found = cross_sites(judged)
    assert found["sites"] == ["lake", "north"]
    assert [row["model"] for row in found["rows"]] == ["shared model", "lake alone", "north alone"]


def test_a_cell_is_the_recall_of_its_model_at_its_site_or_null(judged: RunFiles) -> None:
    rows = cross_sites(judged)["rows"]
    values = [[cell and cell["value"] for cell in row["cells"]] for row in rows]
    assert values == [[0.7, 0.6], [0.4, None], [0.2, 0.58]]


def test_without_an_evaluation_the_matrix_says_what_to_run(plain: RunFiles) -> None:
    assert "evaluate_global" in cross_sites(plain)["missing"]


def test_what_was_left_out_is_reported_with_its_reason(run: Path, evaluation: Path) -> None:
    file = evaluation / "app_server" / "fedaid" / "evaluation.json"
    left_out = {"global": {}, "local:south": {"south": "no answer in time"}}
    file.write_text(json.dumps(json.loads(file.read_text()) | {"left_out": left_out}))
    told = [{"model": "south alone", "site": "south", "reason": "no answer in time"}]
    assert cross_sites(read_run_files(run, evaluation))["left_out"] == told


def with_unseen(run: Path) -> Path:
    """The run, whose best model a third site has evaluated; it finds all."""
    return change(run, lambda results: results.update(unseen={"east": found_all(results["best"]["lake"])}))


def found_all(splits: dict[str, Any]) -> dict[str, Any]:
    return {**splits, "test": {name: 1.0 if "recall" in name else value for name, value in splits["test"].items()}}


def test_an_unseen_site_is_reported_and_in_no_mean(run: Path) -> None:
    before, after = headline(read_run_files(run)), headline(read_run_files(with_unseen(run)))
    row = next(row for row in after["sites"] if row["site"] == "east")
    assert (row["unseen"], row["recall_at_5"]["value"]) == (True, 1)
    assert [row["site"] for row in after["sites"] if not row["unseen"]] == ["lake", "north"]
    assert (after["mean"], after["worst"]) == (before["mean"], before["worst"])


def test_an_unseen_site_without_a_result_is_named(run: Path) -> None:
    found = headline(read_run_files(change(run, lambda results: results.update(unseen={"east": {}}))))
    assert found["untested"] == ["east"]
    assert len(found["sites"]) == 2


def test_the_column_of_an_unseen_site_says_so_and_it_has_not_joined(
    run: Path, tmp_path: Path, models: dict[str, Any]
) -> None:
    models["global"]["east"] = models["global"]["lake"]
    models["local:east"] = {"east": models["local:lake"]["lake"]}
    files = read_run_files(with_unseen(run), write_evaluation(tmp_path / "three", models))
    assert cross_sites(files)["unseen"] == ["east"]
    assert [row["site"] for row in gains(files)["rows"]] == ["lake", "north"]
    page = report_page(report_card(files))
    assert "tested at east (unseen)" in page
    assert '<th scope="row">east (unseen)</th>' in page
    assert "recall at 5 at east, an unseen site" in page
    assert headline(files)["mean"]["recall_at_5"]["value"] == pytest.approx(0.65)
