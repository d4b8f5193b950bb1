"""Results in plain JSON: rounded, and null for an undefined value."""

from __future__ import annotations

import math
from typing import Any

from fedaid.evaluation.bootstrap import Interval
from fedaid.evaluation.findings.long_tail import MeanPrecision
from fedaid.evaluation.findings.multiclass import MulticlassResult
from fedaid.evaluation.findings.zero_shot import FindingResult, PromptSpread
from fedaid.evaluation.linear_probe import ProbeResult
from fedaid.evaluation.subgroups import Gap, Subgroups

DIGITS = 4


def rounded(value: float | None) -> float | None:
    """A number with four decimals; None if it is missing or not finite."""
    return None if value is None or not math.isfinite(value) else round(value, DIGITS)


def plain_interval(found: Interval | None) -> dict[str, Any] | None:
    """A value with the limits of its interval; None if there is no value."""
    if found is None or not math.isfinite(found.mid):
        return None
    return {"value": rounded(found.mid), "low": rounded(found.low), "high": rounded(found.high)}


def plain_finding(result: FindingResult, *, prevalence: str | None) -> dict[str, Any]:
    """The metrics of one finding, and the bin of its share of the training patients."""
    return {
        "positives": result.positives,
        "negatives": result.negatives,
        "inverted": result.inverted,
        "auroc": plain_interval(result.auroc),
        "average_precision": plain_interval(result.average_precision),
        "f1": plain_interval(result.f1),
        "prevalence": prevalence,
        "prompt_spread": _spread(result.spread),
    }


def plain_precision(found: MeanPrecision | None) -> dict[str, Any] | None:
    """A mean average precision with its chance and its number of findings; None without a finding."""
    value = plain_interval(found.value) if found else None
    return value | {"chance": rounded(found.chance), "findings": found.findings} if found and value else None


def plain_multiclass(found: MulticlassResult) -> dict[str, Any]:
    """The accuracy among several classes, and each class."""
    classes = {
        name: {"patients": one.patients, "accuracy": plain_interval(one.accuracy)}
        for name, one in found.classes.items()
    }
    return {"accuracy": plain_interval(found.accuracy), "chance": rounded(found.chance), "classes": classes}


def plain_probe(result: ProbeResult, *, findings: int) -> dict[str, Any]:
    """The result of probes with a share of the labels, and the number of their findings."""
    return {
        "draws": result.draws,
        "macro_auroc": plain_interval(result.macro_auroc),
        "spread": rounded(result.spread),
        "findings": findings,
        "left_out": rounded(result.left_out),
    }


def plain_calibration(errors: dict[str, float]) -> dict[str, Any]:
    """The errors of the findings and their mean."""
    mean = sum(errors.values()) / len(errors) if errors else None
    return {"value": rounded(mean), "findings": {finding: rounded(error) for finding, error in errors.items()}}


def plain_column(metrics: dict[str, Subgroups]) -> dict[str, Any]:
    """Several metrics of the same groups, and the gap of each."""
    bands = {group: band for found in metrics.values() for group, band in found.patients.items()}
    groups = {
        group: {"patients": band} | {name: plain_interval(found.metric.get(group)) for name, found in metrics.items()}
        for group, band in bands.items()
    }
    return {"groups": groups, "gap": {name: _gap(found.gap) for name, found in metrics.items()}}


def _spread(found: PromptSpread | None) -> dict[str, Any] | None:
    return {"pairs": found.pairs, "lowest": rounded(found.lowest), "highest": rounded(found.highest)} if found else None


def _gap(gap: Gap | None) -> dict[str, Any] | None:
    difference = plain_interval(gap.difference) if gap else None
    return {"best": gap.best, "worst": gap.worst} | difference if gap and difference else None
