from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fedaid.errors import InputError
from fedaid.minmax.norm_clipping import NOTHING, ClipSettings, clipped
from fedaid.minmax.update_bounds import lower_median

NORMS = {"a": 1.0, "b": 2.0, "c": 10.0}


@pytest.mark.parametrize(
    ("setting", "norms", "factors"),
    [
        (1.0, NORMS, {"c": 0.2}),  # the median is 2
        (3, NORMS, {"c": 0.6}),
        (5.0, NORMS, {}),  # 10 is not above 5 times 2
        (1.0, {"a": 1.0, "b": 4.0}, {"b": 0.25}),  # of two, the shorter one
        (1.0, {"a": 1.0, "b": 2.0, "c": 3.0, "d": 8.0}, {"c": 2 / 3, "d": 0.25}),
        (1.0, {"a": 0.0, "b": 0.0, "c": 4.0}, {}),  # zeros do not count
        (1.0, {"a": 4.0}, {}),
        (1.0, {}, {}),
        (None, NORMS, {}),
    ],
)
def test_an_update_is_shortened_to_a_multiple_of_the_median(
    setting: float | None, norms: dict[str, float], factors: dict[str, float]
) -> None:
    for order in itertools.permutations(norms.items()):
        found = ClipSettings(setting).factors(dict(order))
        assert list(found.items()) == list(factors.items())


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1e6), max_size=9), st.floats(1, 100))
@example({"a": 5e-324, "b": 2.0}, 1.0)
def test_no_clipped_update_is_longer_than_the_bound(norms: dict[str, float], setting: float) -> None:
    factors = ClipSettings(setting).factors(norms)
    assert all(0 < factor < 1 for factor in factors.values())
    if known := [norm for norm in norms.values() if norm > NOTHING]:
        after = clipped(norms, factors)
        assert max(after.values()) <= setting * lower_median(known) * (1 + 1e-12)
        assert {site for site in norms if after[site] != norms[site]} == set(factors)


@pytest.mark.parametrize("value", [0, 0.5, -1, math.nan, math.inf, "2", True])
def test_a_bad_setting_is_refused(value: object) -> None:
    with pytest.raises(InputError, match=r"^clip_update_norm must be a finite number of at least 1, or null"):
        ClipSettings(value)  # type: ignore[arg-type]
