from __future__ import annotations

import numpy as np
import pytest

from admin.study.compare.intervals import interval, resampled, resampled_site
from admin.study.compare.judge import Hits


def hits(found: list[int], patients: list[int] | None = None) -> Hits:
    """Every text its own, found from both sides or from none."""
    count = len(found)
    numbers = np.arange(count) if patients is None else np.array(patients)
    return Hits(numbers, np.array(found), np.array(found), np.ones(count))


def test_the_first_draw_is_the_studies_as_they_are() -> None:
    found = resampled([{"a": [hits([1, 0, 0, 0])], "b": [hits([1, 1, 0, 0])]}], over_runs=False, draws=10)
    assert found.mean[0] == pytest.approx(37.5)
    assert found.worst[0] == pytest.approx(25)
    assert {name: values[0] for name, values in found.sites.items()} == pytest.approx({"a": 25, "b": 50})


def test_the_worst_site_is_that_over_all_runs_together() -> None:
    runs = [{"a": [hits([0, 0])], "b": [hits([1, 1])]}, {"a": [hits([1, 1])], "b": [hits([1, 0])]}]
    assert resampled(runs, over_runs=False, draws=1).worst[0] == pytest.approx((0 + 100) / 2)


def test_of_sites_that_are_alike_the_worst_lies_less_below_than_the_mean_of_each_runs_worst() -> None:
    rng = np.random.default_rng(0)
    runs = [{site: [hits((rng.random(60) < 0.5).astype(int).tolist())] for site in "abcde"} for _ in range(6)]
    by_run = [resampled([run], over_runs=False, draws=1).worst[0] for run in runs]
    assert np.mean(by_run) + 2 < resampled(runs, over_runs=False, draws=1).worst[0] < 50


def test_the_worst_above_chance_is_not_the_one_with_the_largest_test_set() -> None:
    large, small = hits([1] * 10 + [0] * 10), hits([1] * 6 + [0] * 2)  # chance is 25 and 62.5
    found = resampled([{"large": [large], "small": [small], "tiny": [hits([0])]}], over_runs=False, draws=1)
    assert found.sites["large"][0] == pytest.approx(50)
    assert found.above_chance[0] == pytest.approx(100 * 12.5 / 37.5), "large has 25 of 75, small 12.5 of 37.5"


def test_where_a_guess_finds_all_nothing_is_above_chance() -> None:
    assert resampled([{"a": [hits([1, 0])]}], over_runs=False, draws=1).above_chance[0] == 0


def test_sites_and_runs_of_one_size_are_drawn_apart() -> None:
    alike = [hits([1, 0] * 20)]
    found = resampled([{"a": alike, "b": alike}, {"a": alike, "b": alike}], over_runs=False, draws=400)
    first, second = found.sites["a"][1:], found.sites["b"][1:]
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.2
    single = resampled_site(alike, draws=400, seed=0)[1:]
    assert first.std() == pytest.approx(single.std() / 2**0.5, rel=0.15), "the mean of two runs"


def test_several_models_of_one_run_are_averaged() -> None:
    found = resampled([{"a": [hits([1, 1]), hits([0, 1])]}], over_runs=False, draws=1)
    assert found.mean[0] == pytest.approx(75)


def test_two_methods_on_the_same_patients_are_resampled_alike() -> None:
    one, other = hits([1, 0, 1, 0, 1, 1]), hits([0, 1, 0, 1, 0, 0])
    first, second = (resampled_site([h], draws=50, seed=0) for h in (one, other))
    np.testing.assert_allclose(first + second, 100)


def test_the_bounds_cover_the_true_recall_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for number in range(200):
        values = resampled_site([hits((rng.random(150) < 0.6).astype(int).tolist())], draws=400, seed=number)
        found = interval(values)
        covered += found.low <= 60 <= found.high
    assert 0.9 <= covered / 200 <= 0.985


def test_studies_of_one_patient_are_drawn_together() -> None:
    alone = interval(resampled_site([hits([1, 0] * 50)], draws=500, seed=0))
    many = interval(resampled_site([hits([1, 0] * 50, sorted([*range(10)] * 10))], draws=500, seed=0))
    assert many.high - many.low == pytest.approx(0)  # each of the ten patients has five hits of ten
    assert alone.high - alone.low > 10


def test_seeds_that_differ_widen_the_interval_only_where_they_are_resampled() -> None:
    runs = [{"a": [hits([1] * 50)]}, {"a": [hits([0] * 50)]}]
    assert interval(resampled(runs, over_runs=False, draws=200).mean).low == pytest.approx(50)
    assert interval(resampled(runs, over_runs=True, draws=200).mean).low == pytest.approx(0)


def test_a_value_lies_between_its_bounds_in_json_of_hundredths() -> None:
    found = interval(np.array([2.0, 1.0, 2.0, 3.0]))
    assert found.as_json() == {"low": 1.05, "mid": 2.0, "high": 2.95}


def some_runs(rng: np.random.Generator, *, apart: float, runs: int) -> list[dict[str, list[Hits]]]:
    """Runs of two sites of 32 patients that find half of their studies, but for what its training does to a run."""
    shares = np.clip(0.5 + rng.normal(scale=apart * 0.5 / np.sqrt(2 * 32), size=runs), 0, 1)
    return [{site: [hits((rng.random(32) < share).astype(int).tolist())] for site in "ab"} for share in shares]


@pytest.mark.slow
@pytest.mark.parametrize(("runs", "apart", "least", "most"), [(3, 0, 0.94, 1), (3, 1, 0.91, 0.99), (3, 2.5, 0.8, 0.93)])
def test_few_runs_that_differ_are_covered_less_often_than_the_interval_says(
    runs: int, apart: float, least: float, most: float
) -> None:
    """``apart`` is in standard deviations of what the choice of patients does to the mean of a run."""
    rng, covered, equal = np.random.default_rng(0), 0, 0
    for seed in range(200):
        one, other = (
            resampled(some_runs(rng, apart=apart, runs=runs), over_runs=True, draws=200, seed=seed) for _ in range(2)
        )
        mean, difference = interval(one.mean), interval(one.mean - other.mean)
        covered += mean.low <= 50 <= mean.high
        equal += difference.low <= 0 <= difference.high
    assert least <= covered / 200 <= most
    assert least <= equal / 200 <= most
