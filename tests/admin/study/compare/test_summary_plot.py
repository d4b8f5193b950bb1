from __future__ import annotations

from typing import Any

import pytest

from admin.study.compare.summary_plot import draw_summaries


def summary(worst: float, mean: float) -> dict[str, Any]:
    bounds = {"worst": [worst - 2, worst + 1], "mean": [mean - 1, mean + 1]}
    found = {"worst_recall_at_5": worst, "mean_recall_at_5": mean, "interval": bounds}
    return found | {"chance": {"a": 5.0, "b": 7.0}}


METHODS = {"fedavg": summary(20, 40), "fedaid": summary(30, 45), "moon": summary(10, 50)}


def test_each_method_has_its_two_values_and_their_intervals_on_its_row() -> None:
    (axes,) = draw_summaries({"twin": METHODS}).axes
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["moon", "fedavg", "fedaid"], "the best on top"
    worst, mean = axes.containers
    assert list(worst[0].get_xydata()[:, 0]) == [10, 20, 30]
    assert list(mean[0].get_xydata()[:, 0]) == [50, 40, 45]
    assert [[x for x, _ in path] for path in worst[2][0].get_segments()] == [[8, 11], [18, 21], [28, 31]]


def test_a_blind_guess_is_a_line_for_worst_site_and_mean() -> None:
    (axes,) = draw_summaries({"twin": METHODS}).axes
    dotted = [line.get_xdata()[0] for line in axes.get_lines() if line.get_linestyle() == ":"]
    assert dotted == pytest.approx([5, 6])
