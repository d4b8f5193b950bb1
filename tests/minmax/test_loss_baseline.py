from __future__ import annotations

from fedaid.minmax.loss_baseline import LossBaseline, excess, reported

MEASURED = {"a": {"loss": 2.0, "alone_loss": 1.5}, "b": {"loss": 3.0, "student_loss": 2.0}}


def test_excess_is_what_a_loss_exceeds_its_baseline_by() -> None:
    assert excess({"a": 2.0, "b": 1.0, "c": 9.0}, {"a": 1.5, "b": 4.0, "d": 1.0}) == {"a": 0.5, "b": 0.0}


def test_a_metric_is_taken_of_the_sites_that_report_it() -> None:
    assert reported("alone_loss", MEASURED) == {"a": 1.5}


def test_without_a_baseline_there_is_none() -> None:
    assert LossBaseline().of_round(MEASURED) == {}


def test_the_loss_alone_comes_with_the_validation_loss() -> None:
    assert LossBaseline("alone").of_round(MEASURED) == {"a": 1.5}


def test_the_students_loss_comes_with_it_too() -> None:
    assert LossBaseline("student").of_round(MEASURED) == {"b": 2.0}
