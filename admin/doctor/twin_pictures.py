"""Pictures that are equal, or so nearly that only storage can have made the difference."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

BITS, BANDS = 256, 8
NEAR = BANDS - 1
"""Bits in which two fingerprints may differ: so few that they agree in at least one band."""


def twins(fingerprints: Mapping[int, int]) -> list[tuple[int, ...]]:
    """Return the groups of keys whose fingerprints are at most :data:`NEAR` bits apart from another of their group.

    Args:
        fingerprints: key → number of `BITS` bits.
    """
    leader = {key: key for key in fingerprints}
    for candidates in _banded(fingerprints):
        for position, one in enumerate(candidates):
            for other in candidates[position + 1 :]:
                if (fingerprints[one] ^ fingerprints[other]).bit_count() <= NEAR:
                    leader[_head(leader, other)] = _head(leader, one)
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for key in fingerprints:
        groups[_head(leader, key)].append(key)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def _banded(fingerprints: Mapping[int, int]) -> list[list[int]]:
    """The keys that agree in all bits of a band, for every band."""
    width = BITS // BANDS
    buckets: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for key, bits in fingerprints.items():
        for band in range(BANDS):
            buckets[band, bits >> band * width & ((1 << width) - 1)].append(key)
    return [keys for keys in buckets.values() if len(keys) > 1]


def _head(leader: dict[int, int], key: int) -> int:
    """The key that stands for its group."""
    while leader[key] != key:
        leader[key] = leader[leader[key]]
        key = leader[key]
    return key
