"""Reads numbers from the results of the evaluation job; docs/evaluation.md lists the keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from admin.results.report.share_intervals import Interval, interval_of

GLOBAL, LOCAL = "global", "local:"

Suite = Mapping[str, Any]


def suites_of(evaluation: Mapping[str, Any] | None, model: str) -> Mapping[str, Suite]:
    """Return site → suite of one model; empty if the evaluation does not have it."""
    found: Mapping[str, Suite] = (evaluation or {}).get("models", {}).get(model, {})
    return found


def retrieval(suite: Suite) -> dict[str, Interval]:
    """Return name → recall on a site's test split; empty if the site had too few patients."""
    recalls = suite.get("retrieval") or {}
    return {name: interval_of(found, patients=suite["counts"]["test"]["patients"]) for name, found in recalls.items()}


def recall_at_5(suite: Suite) -> Interval | None:
    """Return recall at 5, the mean of both directions, on a site's test split; None if there are too few patients."""
    return retrieval(suite).get("recall_at_5")


def paired_gain(own: Suite) -> Interval | None:
    """Return the shared model's recall at 5 minus that of a site's own model, measured on the same studies.

    None if the site did not send it. None also if all its resamples agree, for example because both models found every
    study: then the bootstrap has no information on other patients.
    """
    found = (own.get("difference_to_global") or {}).get("recall_at_5")
    if found is None or found["low"] is None or found["low"] == found["high"]:
        return None
    value, low, high = (0.0 - float(found[name]) for name in ("value", "high", "low"))
    return Interval(value, min(value, low), max(value, high))


def counts_of_test(suite: Suite) -> dict[str, int]:
    """Return how many ``studies`` and different ``texts`` a site tested on."""
    counts = suite["counts"]["test"]
    return {"studies": int(counts["studies"]), "texts": int(counts.get("texts") or counts["studies"])}
