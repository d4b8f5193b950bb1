from __future__ import annotations

from admin.report.intervals import Interval
from admin.report.suite_numbers import counts_of_test, recall_at_5, suites_of
from tests.admin.report.evaluation_folder import suite, untold


def test_recall_is_read_with_its_interval() -> None:
    assert recall_at_5(suite(0.6)) == Interval(0.6, 0.55, 0.65)


def test_a_site_with_too_few_patients_tells_no_recall() -> None:
    assert recall_at_5(untold()) is None


def test_a_model_that_was_not_evaluated_has_no_suites() -> None:
    assert suites_of(None, "global") == {}
    assert suites_of({"models": {}}, "global") == {}


def test_studies_and_different_texts_are_counted() -> None:
    assert counts_of_test(suite(0.6)) == {"studies": 50, "texts": 40}
