from __future__ import annotations

from typing import Any

import pytest

from tests.benchmarks.default_model import DEFAULT, FORMS, alignment_share, compared


def result(recall: float, loss: float) -> dict[str, Any]:
    """A trial's result at two sites; the first image and no report is found at a recall of 25."""
    hits = {"patients": [0, 1], "to_text": [1, 0], "to_image": [0, 0], "share": [1.0, 1.0]}
    found = hits | ({"to_text": [1, 1]} if recall > 25 else {})
    valid = {site: {"loss": loss, "batch_accuracy": 0.5} for site in ("lake", "north")}
    return {
        "seconds": 10.0,
        "rounds": 5,
        "best_round": {"global": 1},
        "curves": {"global": [{"round": 0, "valid": {}}, {"round": 1, "valid": valid}]},
        "models": {"global": {"1": {"lake": found, "north": hits}}},
    }


def test_every_form_has_at_most_15_percent_in_its_alignment_modules() -> None:
    shares = {name: alignment_share(name) for name in FORMS if name != DEFAULT}
    assert len(shares) == 5
    assert max(shares.values()) <= 0.15, shares


def test_a_form_is_compared_with_the_default_seed_by_seed() -> None:
    found = {DEFAULT: [result(25, 1.0), result(25, 1.2)], "mid": [result(50, 0.9), result(25, 1.3)]}
    row = compared(found, choose=False)["mid"]
    assert (row["mean"], row["worst"]) == ([37.5, 25.0], [25.0, 25.0])
    assert row["difference"]["mean"]["mean"] == pytest.approx(6.25)
    assert row["seconds_a_round"] == 2.0
    assert "difference" not in compared(found, choose=False)[DEFAULT]


def test_a_form_is_chosen_without_the_test_splits() -> None:
    bare = result(25, 1.0) | {"models": {}}
    row = compared({DEFAULT: [bare], "mid": [result(25, 0.9) | {"models": {}}]}, choose=True)["mid"]
    assert row["loss"] == [0.9]
    assert "mean" not in row
