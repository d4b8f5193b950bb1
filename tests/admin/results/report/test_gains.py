from __future__ import annotations

from pathlib import Path
from typing import Any

from admin.results.report.gains import GAINS, LOSES, OPEN, answer, gains, verdict
from admin.results.report.run_files import RunFiles, read_run_files
from admin.results.report.share_intervals import Interval
from tests.admin.results.report.card_folder import change
from tests.admin.results.report.evaluation_folder import suite, write_evaluation


def test_without_an_evaluation_it_says_what_to_run(plain: RunFiles) -> None:
    assert "Run the jobs local_pretrain and evaluate_global" in gains(plain)["missing"]


def test_each_site_is_compared_with_the_model_that_it_trained_itself(judged: RunFiles) -> None:
    found = {
        row["site"]: (row["alone"]["value"], row["shared"]["value"], row["verdict"]) for row in gains(judged)["rows"]
    }
    assert found == {"lake": (0.4, 0.7, GAINS), "north": (0.58, 0.6, OPEN)}


def test_the_answer_names_who_gains_and_who_cannot_tell(judged: RunFiles) -> None:
    assert gains(judged)["answer"] == "lake gains from joining. For north the test data cannot tell."


def test_a_difference_that_the_site_measured_is_taken_as_it_is(run: Path, tmp_path: Path, models: Any) -> None:
    models["local:north"]["north"]["difference_to_global"] = {
        "recall_at_5": {"value": -0.02, "low": -0.03, "high": -0.01}
    }
    found = gains(read_run_files(run, write_evaluation(tmp_path / "paired", models)))
    lake, north = found["rows"]
    assert (north["gain"], north["verdict"]) == ({"value": 0.02, "low": 0.01, "high": 0.03}, GAINS)
    assert (lake["paired"], north["paired"]) == (False, True)
    assert "For lake the interval is conservative" in found["note"]
    assert "north" not in found["note"]


def test_a_sites_own_model_is_compared_with_the_shared_one_on_the_other_sites(judged: RunFiles) -> None:
    found = gains(judged)["elsewhere"]
    rows = {row["site"]: (row["alone"]["value"], row["shared"]["value"], row["tested_at"]) for row in found["rows"]}
    assert rows == {"north": (0.2, 0.7, ["lake"])}, "north reports nothing of lake's own model"
    assert found["answer"] == (
        "north gains from joining. There the sites' own models find 20 % of the reports and images among the first "
        "five, the shared model 70 %."
    )


def test_on_several_other_sites_the_mean_counts(run: Path, tmp_path: Path, models: Any) -> None:
    models["global"]["moor"] = suite(0.5)
    models["local:north"]["moor"] = suite(0.6)
    found = gains(read_run_files(run, write_evaluation(tmp_path / "three", models)))["elsewhere"]["rows"]
    (north,) = [row for row in found if row["site"] == "north"]
    assert north["tested_at"] == ["lake", "moor"]
    assert round(north["gain"]["value"], 6) == 0.2
    assert north["verdict"] == GAINS


def test_without_a_test_elsewhere_it_says_so(run: Path, tmp_path: Path, models: Any) -> None:
    del models["local:north"]["lake"]
    found = gains(read_run_files(run, write_evaluation(tmp_path / "own", models)))["elsewhere"]
    assert found == {"missing": "Not known: no site's own model was tested at another site."}


def test_the_mean_gain_is_over_the_sites(judged: RunFiles) -> None:
    assert round(gains(judged)["mean"]["value"], 6) == 0.16


def test_a_verdict_needs_an_interval_without_zero() -> None:
    assert verdict(Interval(0.1, 0.01, 0.2)) == GAINS
    assert verdict(Interval(-0.1, -0.2, -0.01)) == LOSES
    assert verdict(Interval(0.1, 0.0, 0.2)) == OPEN


def test_a_loss_is_said_as_plainly_as_a_gain() -> None:
    rows = [{"site": site, "verdict": word} for site, word in zip("abcd", (GAINS, GAINS, GAINS, LOSES), strict=True)]
    assert answer(rows) == "a, b and c gain from joining. d loses by joining."


def test_it_is_said_by_which_metric_both_models_were_chosen(run: Path, evaluation: Path) -> None:
    change(run, lambda results: results.update(selection_metric="cvar_batch_accuracy"))
    found = gains(read_run_files(run, evaluation))["note"]
    assert "the round with the best cvar_batch_accuracy over the sites' validation splits" in found
    assert "the best batch_accuracy on its own validation split" in found


def test_a_run_that_does_not_say_how_its_model_was_chosen_is_not_guessed_at(run: Path, evaluation: Path) -> None:
    change(run, lambda results: results.pop("selection_metric", None))
    assert "the best" not in gains(read_run_files(run, evaluation))["note"]


def test_it_is_said_which_own_models_saw_another_number_of_pairs(run: Path, tmp_path: Path, models: Any) -> None:
    shared = 2 * (10 + 40) * 32  # rounds, steps, batch: of the job as it stands
    own = {"lake": {"pairs": 1280.0}, "north": {"pairs": float(shared)}}
    found = gains(read_run_files(run, write_evaluation(tmp_path / "other", models, local_models=own)))["note"]
    assert f"used {shared} pairs to train the shared model, and for its own model 1280 at lake." in found
    assert "at north" not in found


def test_of_own_models_that_saw_as_many_pairs_or_do_not_say_nothing_is_said(
    run: Path, tmp_path: Path, models: Any
) -> None:
    own = {"lake": {"rounds": 3.0}, "north": {"pairs": 3200.0}}
    found = gains(read_run_files(run, write_evaluation(tmp_path / "same", models, local_models=own)))["note"]
    assert "not quite fair" not in found
