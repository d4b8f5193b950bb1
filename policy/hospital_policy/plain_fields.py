"""The closed list of fields that an answer may have beside its tensors, and what is taken out of them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from hospital_policy.rules import PolicyFault, Rules

LONGEST_TEXT, MOST_ENTRIES, LARGEST = 200, 100, 1e9
NO_TENSORS = ("no local model", "not shared by the site", "another configuration")  # why a local model is not sent
LONGEST_RESULT, DEEPEST = 1_000_000, 12
Fields = Mapping[str, Any]


def update_fields(meta: Fields, rules: Rules) -> dict[str, Any]:
    """The fields of an update that may leave; unknown ones are left out.

    Raises:
        PolicyFault: if a field has another form, or if its metrics are over too few studies.
    """
    found = {name: CHECKS[name](meta[name]) for name in CHECKS if name in meta}
    count = found.get("pairs", 0)
    if "pairs" in meta and count < rules.min_studies:
        raise PolicyFault(f"an update must be of at least {rules.min_studies} studies")
    metrics = found.get("metrics", {})
    if "studies" in metrics and metrics["studies"] < rules.min_studies:
        raise PolicyFault(f"metrics must be over at least {rules.min_studies} studies")
    if "skipped" in found:
        found["skipped"] = {
            reason: number
            for reason, number in found["skipped"].items()
            if number >= rules.min_studies or number == 0 or (number == 1 and reason in NO_TENSORS)
        }
    return found


def split_metrics(data: Fields, rules: Rules) -> dict[str, dict[str, float]]:
    """The metrics of a model by split, without splits of too few studies; a split must say how many it has.

    Raises:
        PolicyFault: if no split is left, or if something else than metrics is among them.
    """
    splits = {text(split): numbers(metrics) for split, metrics in data.items()}
    found = {split: metrics for split, metrics in splits.items() if metrics.get("studies", 0) >= rules.min_studies}
    if not found:
        raise PolicyFault(f"metrics must be over at least {rules.min_studies} studies")
    return found


def result_text(found: Any, rules: Rules) -> str:
    """The result of an evaluation, which is JSON in a text.

    Raises:
        PolicyFault: if it is not plain, or if it reports fewer patients than the hospital allows.
    """
    if type(found) is not str or len(found) > LONGEST_RESULT:
        raise PolicyFault(f"a result must be a text of at most {LONGEST_RESULT} characters")
    try:
        result = plain(json.loads(found))
        least = int(result["suite"]["settings"]["least_patients"])
        counts = [count for split in result["suite"]["counts"].values() for count in split.values()]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise PolicyFault("a result must be the evaluation of this software") from None
    small = [count for count in counts if not isinstance(count, (int, float)) or 0 < count < rules.min_studies]
    if least < rules.min_studies or small:
        rule = f"be over at least {rules.min_studies} patients, least_patients of the job too"
        raise PolicyFault(f"a result must {rule}")
    if isinstance(result.get("skipped"), dict):
        result["skipped"] = {n: count for n, count in result["skipped"].items() if count >= rules.min_studies}
    return json.dumps({"suite": result["suite"], "skipped": result.get("skipped", {})}, allow_nan=False)


def plain(value: Any, *, depth: int = 0) -> Any:
    """A JSON value with short texts and finite numbers only."""
    if depth > DEEPEST:
        raise PolicyFault("a result must not be nested too deeply")
    if isinstance(value, dict):
        return {text(name): plain(inner, depth=depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner, depth=depth + 1) for inner in value]
    return (
        value if value is None or isinstance(value, bool) else text(value) if isinstance(value, str) else number(value)
    )


def number(value: Any) -> Any:
    """A finite number of at most 1e9."""
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not math.isfinite(value)
        or abs(value) > LARGEST
    ):
        raise PolicyFault("a number of the answer must be finite and at most 1e9")
    return value


def whole(value: Any) -> int:
    """A whole number of at least 0."""
    if type(value) is not int or not 0 <= value <= LARGEST:
        raise PolicyFault("a count of the answer must be a whole number in 0..1e9")
    return value


def text(value: Any) -> str:
    """A short text in one line."""
    if type(value) is not str or len(value) > LONGEST_TEXT or not value.isprintable():
        raise PolicyFault(f"a text of the answer must be one line of at most {LONGEST_TEXT} characters")
    return value


def table(value: Any, check: Callable[[Any], Any], *, most: int = MOST_ENTRIES) -> dict[str, Any]:
    """A short text → value that passes ``check``."""
    if type(value) is not dict or len(value) > most:
        raise PolicyFault(f"a table of the answer must have at most {most} entries")
    return {text(name): check(inner) for name, inner in value.items()}


def numbers(value: Any) -> dict[str, float]:
    """Name → finite number."""
    return table(value, number)


def stamp(value: Any) -> dict[str, Any]:
    """The name of a run and the number of its job."""
    if type(value) is not dict or value.keys() != {"name", "attempt"}:
        raise PolicyFault("run must have a name and an attempt")
    return {"name": text(value["name"]), "attempt": whole(value["attempt"])}


CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "round": whole,
    "pairs": whole,
    "metrics": numbers,
    "skipped": lambda value: table(value, whole),
    "run": stamp,
    "counters": lambda value: table(value, whole, most=10_000),
}
