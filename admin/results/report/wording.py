"""Formats the numbers of the page."""

from __future__ import annotations

from collections.abc import Mapping

ABSENT = "not reported"
Number = Mapping[str, float]
Limited = Mapping[str, float | None]


def percent(value: float | None) -> str:
    """Return a share in percent with one decimal."""
    return ABSENT if value is None else f"{100 * value:.1f} %"


def span(found: Number) -> str:
    """Return the interval of a share in percent."""
    return f"{100 * found['low']:.1f} to {100 * found['high']:.1f} %"


def percents(found: Number | None) -> str:
    """Return a share in percent and its interval."""
    if found is None:
        return ABSENT
    return f"{100 * found['value']:.1f} % ({100 * found['low']:.1f} to {100 * found['high']:.1f})"


def points(found: Number | None) -> str:
    """Return a difference of shares in percentage points, with its sign and interval."""
    if found is None:
        return ABSENT
    value, low, high = (minus(f"{100 * found[name]:+.1f}") for name in ("value", "low", "high"))
    return f"{value} points ({low} to {high})"


def plain(found: Limited | None) -> str:
    """Return a measure between 0 and 1 and its interval, with two decimals."""
    if found is None:
        return ABSENT
    return f"{found['value']:.2f} ({limits(found)})"


def limits(found: Limited) -> str:
    """Return the interval of a measure with two decimals; there is none with too few patients to resample."""
    return ABSENT if found["low"] is None else f"{found['low']:.2f} to {found['high']:.2f}"


def apart(found: Limited) -> str:
    """Return a difference of measures with its sign and interval, with two decimals."""
    span = ABSENT if found["low"] is None else f"{found['low']:+.2f} to {found['high']:+.2f}"
    return minus(f"{found['value']:+.2f} ({span})")


def size(count: float) -> str:
    """Return bytes in megabytes, or in kilobytes below 0.1 MB."""
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"


def minus(text: str) -> str:
    """Return a number with a true minus sign, which is as wide as a plus."""
    return text.replace("-", "−")
