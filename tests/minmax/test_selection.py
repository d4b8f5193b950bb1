from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedaid.errors import InputError
from fedaid.minmax.selection import LOWER_IS_BETTER, METRICS, SITE_METRIC, BestModel, Selection, mean_of_worst


def losses(**values: float) -> dict[str, dict[str, float]]:
    return {site: {"loss": value, "recall_at_5": 1 - value / 10} for site, value in values.items()}


@pytest.mark.parametrize(
    ("name", "score"),
    [
        ("worst_loss", -3.0),
        ("mean_loss", -2.0),
        ("worst_recall_at_5", 0.7),
        ("mean_recall_at_5", 0.8),
        ("cvar_loss", -3.0),
        ("cvar_recall_at_5", 0.7),
    ],
)
def test_the_score_is_higher_for_the_better_model(name: str, score: float) -> None:
    assert Selection(name).score(losses(a=1.0, b=3.0)) == pytest.approx(score)


@pytest.mark.parametrize("name", ["loss", "best_loss", "worst_", "worst_accuracy", "", None, 5])
def test_an_unknown_name_is_refused_with_the_known_ones(name: Any) -> None:
    with pytest.raises(InputError, match=r"selection_metric must be one of worst_loss, .*cvar_batch_accuracy"):
        Selection(name)


@pytest.mark.parametrize("share", [0, -0.1, 1.1, float("nan"), "0.3", None, True])
def test_a_share_of_sites_out_of_range_is_refused(share: Any) -> None:
    with pytest.raises(InputError, match=r"^selection_share must be in \(0, 1\]"):
        Selection("cvar_loss", share)


@pytest.mark.parametrize("over", ["worst", "mean", "cvar"])
@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_that_a_site_reports_can_be_selected_by(over: str, metric: str) -> None:
    better, worse = (0.1, 0.2) if metric == "loss" else (0.2, 0.1)
    selection = Selection(f"{over}_{metric}")
    assert selection.score({"a": {metric: better}}) > selection.score({"a": {metric: worse}})


def test_a_site_alone_chooses_by_a_metric_that_a_federation_knows_and_of_which_more_is_better() -> None:
    assert SITE_METRIC in METRICS
    assert SITE_METRIC not in LOWER_IS_BETTER


@pytest.mark.parametrize(
    ("share", "mean"),
    [(0.01, 1.0), (0.25, 1.0), (0.3, (1 + 0.2 * 2) / 1.2), (0.5, 1.5), (0.6, (1 + 2 + 0.4 * 3) / 2.4), (1.0, 2.5)],
)
def test_the_mean_of_the_worst_counts_the_last_site_in_part(share: float, mean: float) -> None:
    assert mean_of_worst([4.0, 1.0, 3.0, 2.0], share=share) == pytest.approx(mean)


@settings(deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=12), st.floats(0.01, 1))
def test_the_mean_of_the_worst_is_the_minimum_of_rockafellar_and_uryasev(values: list[float], share: float) -> None:
    share = max(share, 1 / len(values))
    losses = [-value for value in values]

    def bound(level: float) -> float:
        return level + sum(max(loss - level, 0.0) for loss in losses) / (share * len(losses))

    assert -mean_of_worst(values, share=share) == pytest.approx(min(map(bound, losses)), abs=1e-8)


def test_a_better_worst_third_wins_over_a_better_worst_site() -> None:
    before = losses(a=3.0, b=2.9, c=2.9, d=0.1, e=0.1, f=0.1)
    after = losses(a=3.1, b=1.0, c=1.0, d=0.1, e=0.1, f=0.1)
    for name, better in (("worst_loss", False), ("cvar_loss", True)):
        best = BestModel(Selection(name, 1 / 3))
        best.improves(0, before)
        assert best.improves(1, after) == better


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
