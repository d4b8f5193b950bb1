"""Numbers as the page writes them."""

from __future__ import annotations

from collections.abc import Mapping

ABSENT = "not told"
Number = Mapping[str, float]
Limited = Mapping[str, float | None]


def percent(value: float | None) -> str:
    """A share in percent with one decimal."""
    return ABSENT if value is None else f"{100 * value:.1f} %"


def span(found: Number) -> str:
    """The interval of a share in percent."""
    return f"{100 * found['low']:.1f} to {100 * found['high']:.1f} %"


def percents(found: Number | None) -> str:
    """A share in percent and its interval."""
    if found is None:
        return ABSENT
    return f"{100 * found['value']:.1f} % ({100 * found['low']:.1f} to {100 * found['high']:.1f})"


def points(found: Number | None) -> str:
    """A difference of shares in points of a percent, with its sign and interval."""
    if found is None:
        return ABSENT
    value, low, high = (minus(f"{100 * found[name]:+.1f}") for name in ("value", "low", "high"))
    return f"{value} points ({low} to {high})"


def plain(found: Limited | None) -> str:
    """A measure between 0 and 1 and its interval, with two decimals."""
    if found is None:
        return ABSENT
    return f"{found['value']:.2f} ({limits(found)})"


def limits(found: Limited) -> str:
    """The interval of a measure with two decimals; too few patients to resample give none."""
    return ABSENT if found["low"] is None else f"{found['low']:.2f} to {found['high']:.2f}"


def apart(found: Limited) -> str:
    """A difference of measures with its sign and interval, with two decimals."""
    span = ABSENT if found["low"] is None else f"{found['low']:+.2f} to {found['high']:+.2f}"
    return minus(f"{found['value']:+.2f} ({span})")


def size(count: float) -> str:
    """Bytes in megabytes, small numbers in kilobytes."""
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"


def minus(text: str) -> str:
    """A number with a minus sign that is as wide as its plus."""
    return text.replace("-", "−")
