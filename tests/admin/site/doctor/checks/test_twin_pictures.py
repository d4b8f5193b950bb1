from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from admin.site.doctor.checks.duplicate_checks import BITS, NEAR, near_equal

OTHERS = {key: random.Random(key).getrandbits(BITS) for key in range(100, 120)}


@given(st.sets(st.integers(0, BITS - 1), max_size=NEAR))
def test_fingerprints_that_differ_in_few_bits_are_one_group(flipped: set[int]) -> None:
    changed = OTHERS[100]
    for bit in flipped:
        changed ^= 1 << bit
    assert near_equal(OTHERS | {1: changed}) == [(100, 1)]


def test_fingerprints_that_differ_in_many_are_none() -> None:
    assert near_equal(OTHERS | {1: OTHERS[100] ^ (1 << NEAR + 1) - 1}) == []


def test_a_chain_of_near_ones_is_one_group() -> None:
    ends = {1: 0, 2: (1 << NEAR) - 1, 3: (1 << 2 * NEAR) - 1}
    assert near_equal(ends) == [(1, 2, 3)]


def test_no_picture_gives_no_group() -> None:
    assert near_equal({}) == []
