from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from admin.results.report.run_files import RunFiles, read_run_files
from admin.results.report.weight_moves import WAITING, highest, in_words, likely_move, on_the_edge, weight_moves
from fedaid.minmax.projection import ball_radius
from fedaid.minmax.settings import MinMaxSettings
from tests.admin.results.report.card_folder import WEIGHTS, change


def move(**other: Any) -> dict[str, Any]:
    """What the server writes of a move."""
    return {
        "rule": "dual_step",
        "losses": {"lake": 2.0, "north": 1.0},
        "baselines": {},
        "cut_by_ball": False,
        "raised_by_floor": False,
    } | other


EQUAL, MOVED = {"lake": 0.5, "north": 0.5}, {"lake": 0.6, "north": 0.4}


def test_rounds_count_from_one_and_start_from_equal_weights(plain: RunFiles) -> None:
    found = weight_moves(plain)
    assert found["start"] == {"lake": 0.5, "north": 0.5}
    assert [(entry["round"], entry["site_weights"]) for entry in found["rounds"]] == [(1, WEIGHTS[0]), (2, WEIGHTS[1])]
    assert found["ceiling"] == pytest.approx((1 + (2 * 0.25) ** 0.5) / 2), "rho of the job is 0.25"


def test_weights_that_no_min_max_moves_begin_with_the_first_round(run: Path) -> None:
    file = run / "app_server" / "config" / "config_fed_server.json"
    file.write_text('{"workflows": [{"args": {"dual_step_size": 0, "initial_site_weights": "pairs"}}]}')
    found = weight_moves(read_run_files(run))
    assert (found["start"], found["ceiling"]) == (None, None)
    assert found["rounds"][0]["cause"] == "The weights are proportional to the numbers of training pairs."


def test_a_run_of_before_the_server_reported_causes_has_them_from_its_losses(plain: RunFiles) -> None:
    causes = [entry["cause"] for entry in weight_moves(plain)["rounds"]]
    assert causes[0] == "lake had the highest loss (2.900 nats). lake gained 0.050, north lost 0.050."


def test_what_the_server_reported_is_believed(run: Path) -> None:
    change(run, lambda results: results["history"][0].update(weight_move=move(rule="pairs")))
    assert (
        weight_moves(read_run_files(run))["rounds"][0]["cause"]
        == "The weights are proportional to the numbers of training pairs."
    )


def test_the_limit_and_the_floor_are_reported() -> None:
    said = in_words(move(cut_by_ball=True, raised_by_floor=True), EQUAL, MOVED)
    assert "The step was shortened" in said
    assert "below the lower limit" in said
    assert "shortened" not in in_words(move(), EQUAL, MOVED)


def test_a_site_that_did_not_answer_is_named() -> None:
    assert "No answer from north" in in_words(move(losses={"lake": 2.0}), EQUAL, EQUAL)
    assert "No site answered." in in_words(move(losses={}), EQUAL, EQUAL)


def test_with_baselines_the_loss_above_them_counts() -> None:
    said = highest({"lake": 3.0, "north": 2.0}, {"lake": 2.9, "north": 1.0})
    assert said == "north had the highest loss above its own baseline (1.000 nats)."


def test_a_run_that_waits_for_baselines_says_so(run: Path) -> None:
    file = run / "app_server" / "config" / "config_fed_server.json"
    file.write_text('{"workflows": [{"args": {"dual_step_size": 0.5, "loss_baseline": "alone"}}]}')
    change(run, lambda results: results["history"][0].update(weight_move=move()))
    files = RunFiles(**vars(read_run_files(run)))
    assert weight_moves(files)["rounds"][0]["cause"] == WAITING


def test_weights_on_the_edge_of_their_ball_are_found() -> None:
    reach = ball_radius(2, 0.1) / 2**0.5
    assert on_the_edge({"a": 0.5 + reach, "b": 0.5 - reach}, 0.1)
    assert not on_the_edge({"a": 0.5 + 0.99 * reach, "b": 0.5 - 0.99 * reach}, 0.1)


def test_without_the_min_max_the_rule_follows_from_the_settings() -> None:
    entry = {"site_weights": EQUAL, "valid": {}}
    assert likely_move(entry, MinMaxSettings(dual_step_size=0), None)["rule"] == "none"
    by_pairs = MinMaxSettings(dual_step_size=0, initial_site_weights="pairs")
    assert likely_move(entry, by_pairs, None)["rule"] == "pairs"


def test_sites_that_trained_alone_have_no_weights(run: Path) -> None:
    change(run, lambda results: [entry.update(site_weights={}) for entry in results["history"]])
    assert "There are no site weights" in weight_moves(read_run_files(run))["missing"]
