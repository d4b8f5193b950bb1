from __future__ import annotations

from typing import Any

import pytest

from fedaid.errors import InputError
from fedaid.flare.selection import BestModel, Selection


def losses(**values: float) -> dict[str, dict[str, float]]:
    return {site: {"loss": value, "recall_at_5": 1 - value / 10} for site, value in values.items()}


@pytest.mark.parametrize(
    ("name", "score"),
    [("worst_loss", -3.0), ("mean_loss", -2.0), ("worst_recall_at_5", 0.7), ("mean_recall_at_5", 0.8)],
)
def test_the_score_is_higher_for_the_better_model(name: str, score: float) -> None:
    assert Selection(name).score(losses(a=1.0, b=3.0)) == pytest.approx(score)


@pytest.mark.parametrize("name", ["loss", "best_loss", "worst_", "worst_accuracy", "", None, 5])
def test_an_unknown_name_is_refused_with_the_known_ones(name: Any) -> None:
    with pytest.raises(InputError, match=r"selection_metric must be one of worst_loss, .*mean_recall_at_10"):
        Selection(name)


def test_the_first_model_is_the_best() -> None:
    best = BestModel(Selection())
    assert best.round_number == -1
    assert best.improves(0, losses(a=9.0))
    assert best.round_number == 0


def test_a_lower_worst_loss_is_better_even_if_the_mean_is_worse() -> None:
    best = BestModel(Selection("worst_loss"))
    best.improves(0, losses(a=0.1, b=3.0))
    assert best.improves(1, losses(a=2.8, b=2.9))


def test_a_lower_mean_loss_is_better_even_if_the_worst_is_worse() -> None:
    best = BestModel(Selection("mean_loss"))
    best.improves(0, losses(a=2.0, b=3.0))
    assert best.improves(1, losses(a=0.5, b=3.5))


def test_a_higher_recall_is_better() -> None:
    best = BestModel(Selection("mean_recall_at_5"))
    best.improves(0, losses(a=3.0))
    assert not best.improves(1, losses(a=4.0))
    assert best.improves(2, losses(a=1.0))


def test_an_equal_model_does_not_replace_the_best() -> None:
    best = BestModel(Selection())
    best.improves(0, losses(a=1.0))
    assert not best.improves(1, losses(a=1.0))
    assert best.round_number == 0


def test_models_are_compared_over_the_sites_that_answered_both_times() -> None:
    best = BestModel(Selection("worst_loss"))
    best.improves(0, losses(a=2.0, b=9.0))
    assert not best.improves(1, losses(a=2.5, c=0.1))  # better only because b is absent
    assert best.improves(2, losses(a=1.5, c=20.0))


def test_models_without_a_common_site_cannot_be_compared() -> None:
    best = BestModel(Selection())
    best.improves(0, losses(a=2.0))
    assert not best.improves(1, losses(b=0.1))
