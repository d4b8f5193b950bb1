from __future__ import annotations

import pytest

from fedaid.minmax.loss_baseline import LossBaseline, excess, reported

MEASURED = {"a": {"loss": 2.0, "alone_loss": 1.5}, "b": {"loss": 3.0}}
TRAINED = {"a": {"student_loss": 1.2}, "b": {"student_loss": 2.0}}


def test_excess_is_what_a_loss_exceeds_its_baseline_by() -> None:
    assert excess({"a": 2.0, "b": 1.0, "c": 9.0}, {"a": 1.5, "b": 4.0, "d": 1.0}) == {"a": 0.5, "b": 0.0}


def test_a_metric_is_taken_of_the_sites_that_report_it() -> None:
    assert reported("alone_loss", MEASURED) == {"a": 1.5}


def test_without_a_baseline_there_is_none() -> None:
    baseline = LossBaseline()
    baseline.trained(TRAINED)
    assert baseline.of_round(MEASURED) == {}


def test_the_loss_alone_comes_with_the_validation_loss() -> None:
    assert LossBaseline("alone").of_round(MEASURED) == {"a": 1.5}


def test_the_students_loss_is_that_of_the_round_before() -> None:
    baseline = LossBaseline("student")
    assert baseline.of_round(MEASURED) == {}
    baseline.trained(TRAINED)
    assert baseline.of_round(MEASURED) == {"a": 1.2, "b": 2.0}
    baseline.trained({"b": {"student_loss": 1.0}})
    assert baseline.of_round(MEASURED) == {"b": 1.0}


def test_what_was_given_out_can_be_changed_without_harm() -> None:
    baseline = LossBaseline("student")
    baseline.trained(TRAINED)
    baseline.of_round(MEASURED).clear()
    assert baseline.of_round(MEASURED) == pytest.approx({"a": 1.2, "b": 2.0})
