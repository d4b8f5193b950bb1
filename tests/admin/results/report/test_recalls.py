from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from admin.results.report.recalls import BOOTSTRAP, ROUGH, chance_at_5, headline
from admin.results.report.run_files import RunFiles, read_run_files
from fedaid.evaluation.retrieval import retrieval
from tests.admin.results.report.card_folder import change
from tests.admin.results.report.evaluation_folder import untold, write_evaluation


def test_without_an_evaluation_the_runs_own_recalls_are_told(plain: RunFiles) -> None:
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


def test_both_ways_are_told_at_each_cut(plain: RunFiles, judged: RunFiles) -> None:
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


def test_a_test_split_too_small_to_tell_of_is_named_and_not_told(run: Path) -> None:
    change(run, lambda results: results["best"]["lake"]["test"].update(studies=4.0))
    found = headline(read_run_files(run))
    assert (found["untested"], [row["site"] for row in found["sites"]]) == (["lake"], ["north"])


def test_a_site_without_a_test_split_is_named(run: Path) -> None:
    change(run, lambda results: results["best"]["lake"].pop("test"))
    found = headline(read_run_files(run))
    assert (found["untested"], len(found["sites"])) == (["lake"], 1)


def test_no_test_split_at_all_is_said(run: Path) -> None:
    change(run, lambda results: [splits.pop("test") for splits in results["best"].values()])
    assert "No site has a test split" in headline(read_run_files(run))["missing"]


def test_a_site_with_too_few_patients_is_named(run: Path, tmp_path: Path, models: dict[str, Any]) -> None:
    models["global"]["north"] = untold()
    found = headline(read_run_files(run, write_evaluation(tmp_path / "few", models)))
    assert (found["untested"], found["worst"]["site"]) == (["north"], "lake")
