from __future__ import annotations

import numpy as np

from fedaid.evaluation.bootstrap import Interval
from fedaid.evaluation.findings.zero_shot import FindingResult
from fedaid.evaluation.linear_probe import ProbeResult
from fedaid.evaluation.plain_result import (
    plain_calibration,
    plain_column,
    plain_finding,
    plain_interval,
    plain_probe,
    rounded,
)
from fedaid.evaluation.subgroups import Gap, Subgroups

HALF = Interval(0.25, 0.5, 0.123456)
PLAIN = {"value": 0.5, "low": 0.25, "high": 0.1235}


def test_numbers_have_four_decimals_and_what_is_no_number_is_null() -> None:
    assert [rounded(value) for value in (0.123456, np.nan, np.inf, None)] == [0.1235, None, None, None]


def test_an_interval_without_limits_keeps_its_value_and_one_without_a_value_is_null() -> None:
    assert plain_interval(HALF) == PLAIN
    assert plain_interval(Interval(np.nan, 0.5, np.nan)) == {"value": 0.5, "low": None, "high": None}
    assert plain_interval(Interval(np.nan, np.nan, np.nan)) is None
    assert plain_interval(None) is None


def test_a_finding_that_is_not_reported_has_every_key() -> None:
    told, untold = (
        plain_finding(result, prevalence=None)
        for result in (FindingResult("5-9", "20-49", HALF, HALF), FindingResult("<5", "<5"))
    )
    assert told.keys() == untold.keys()
    assert (told["auroc"], told["f1"], told["inverted"]) == (PLAIN, None, True)
    assert untold["auroc"] is None


def test_a_probe_says_of_how_many_findings_it_is_the_mean() -> None:
    plain = plain_probe(ProbeResult(5, HALF, 0.1, 1.4), findings=7)
    assert plain == {"draws": 5, "macro_auroc": PLAIN, "spread": 0.1, "findings": 7, "left_out": 1.4}


def test_calibration_is_the_mean_over_the_findings() -> None:
    assert plain_calibration({"a": 0.1, "b": 0.3}) == {"value": 0.2, "findings": {"a": 0.1, "b": 0.3}}
    assert plain_calibration({}) == {"value": None, "findings": {}}


def test_a_column_shows_both_metrics_of_each_group() -> None:
    bands = {"F": "5-9", "M": "10-19"}
    recall = Subgroups(bands, {"F": HALF, "M": HALF}, Gap("M", "F", HALF))
    plain = plain_column({"recall_at_5": recall, "macro_auroc": Subgroups(bands, {}, None)})
    assert plain == {
        "groups": {
            "F": {"patients": "5-9", "recall_at_5": PLAIN, "macro_auroc": None},
            "M": {"patients": "10-19", "recall_at_5": PLAIN, "macro_auroc": None},
        },
        "gap": {"recall_at_5": {"best": "M", "worst": "F", **PLAIN}, "macro_auroc": None},
    }
