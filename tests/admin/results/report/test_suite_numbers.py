from __future__ import annotations

from admin.results.report.share_intervals import Interval
from admin.results.report.suite_numbers import counts_of_test, paired_gain, recall_at_5, suites_of
from tests.admin.results.report.evaluation_folder import suite, untold


def test_recall_is_read_with_its_interval() -> None:
    assert recall_at_5(suite(0.6)) == Interval(0.6, 0.55, 0.65)


def test_a_site_with_too_few_patients_tells_no_recall() -> None:
    assert recall_at_5(untold()) is None


def test_a_model_that_was_not_evaluated_has_no_suites() -> None:
    assert suites_of(None, "global") == {}
    assert suites_of({"models": {}}, "global") == {}


def test_studies_and_different_texts_are_counted() -> None:
    assert counts_of_test(suite(0.6)) == {"studies": 50, "texts": 40}


def test_the_gain_is_the_way_back_from_a_site_s_own_model_to_the_shared_one() -> None:
    told = suite(0.5) | {"difference_to_global": {"recall_at_5": {"value": -0.1, "low": -0.25, "high": 0.01}}}
    assert paired_gain(told) == Interval(0.1, -0.01, 0.25)


def test_a_difference_that_was_not_sent_is_none() -> None:
    assert paired_gain(suite(0.5)) is None
    assert paired_gain(untold() | {"difference_to_global": None}) is None


def test_a_difference_whose_resamples_all_agree_tells_nothing_of_other_patients() -> None:
    told = suite(1.0) | {"difference_to_global": {"recall_at_5": {"value": 0.0, "low": 0.0, "high": 0.0}}}
    assert paired_gain(told) is None
