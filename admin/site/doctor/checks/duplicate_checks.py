"""Checks of pictures and texts that several studies share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from admin.site.doctor.doctor_check import ERROR, NOTE, WARNING, Check, Found, found
from admin.site.doctor.evidence import Case, Evidence

MOST_REPEATED = 0.05
LEAST_WORDS = 8


def image_groups(evidence: Evidence) -> list[tuple[Case, ...]]:
    """Return the groups of studies that share a picture."""
    by_line = {case.line: case for case in evidence.cases}
    fingerprints = {case.line: case.picture.fingerprint for case in evidence.cases if case.picture}
    return [tuple(by_line[line] for line in group) for group in near_equal(fingerprints)]


def duplicate_images(evidence: Evidence) -> Found:
    """Return the studies that share a picture."""
    return found((case for group in image_groups(evidence) for case in group), evidence)


def leaked_images(evidence: Evidence) -> Found:
    """Return the studies that share a picture with a study of another split."""
    leaked = (group for group in image_groups(evidence) if len({case.split for case in group}) > 1)
    return found((case for group in leaked for case in group), evidence)


def text_groups(evidence: Evidence) -> list[tuple[Case, ...]]:
    """Return the groups of studies whose reports are equal except for case and spacing."""
    groups: defaultdict[str, list[Case]] = defaultdict(list)
    for case in evidence.cases:
        if case.text:
            groups[" ".join(case.text.casefold().split())].append(case)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def duplicate_reports(evidence: Evidence) -> Found:
    """Return the studies that share a long report with another patient, unless all of them are labelled normal."""
    groups = (group for group in text_groups(evidence) if len({case.patient for case in group}) > 1)
    long = (group for group in groups if len(group[0].text.split()) >= LEAST_WORDS)
    return found((case for group in long if not _is_normal(group) for case in group), evidence)


def _is_normal(group: tuple[Case, ...]) -> bool:
    """Whether all labelled studies of the group are labelled as normal."""
    labelled = [case for case in group if case.labels]
    return bool(labelled) and all(case.normal for case in labelled)


def repeated_texts(evidence: Evidence) -> Found:
    """Return the studies whose text occurs more than once; fires above :data:`MOST_REPEATED`."""
    cases = tuple(case for group in text_groups(evidence) for case in group)
    fired = len(cases) > MOST_REPEATED * len(evidence.cases)
    return Found(cases=cases, of=len(evidence.cases), fired=fired)


DUPLICATE_CHECKS = (
    Check(
        "duplicate-image",
        "One picture in several studies",
        "Equal or nearly equal pictures with different reports are wrong training pairs.",
        "Find out which study the picture belongs to, and keep only that one.",
        WARNING,
        duplicate_images,
        screen=True,
    ),
    Check(
        "image-across-splits",
        "One picture in two splits",
        "The model is tested on a picture that it was trained on.",
        "Keep one of them. If both are of one patient, give them the same patient_id.",
        ERROR,
        leaked_images,
        screen=True,
    ),
    Check(
        "duplicate-report",
        "One report with findings for several patients",
        "Identical findings in two patients are rare. Probably a report was copied.",
        "Give each study its own report.",
        WARNING,
        duplicate_reports,
    ),
    Check(
        "repeated-texts",
        "Many studies with the same text",
        f"More than {MOST_REPEATED:.0%} have a text that other studies have too; usually these are normal studies. "
        "Training does not use them as negatives of each other, and retrieval counts each as correct.",
        "Nothing, if they are normal reports. Otherwise check the report template.",
        NOTE,
        repeated_texts,
    ),
)


BITS, BANDS = 256, 8
NEAR = BANDS - 1
"""Most bits in which two fingerprints may differ. They then agree in at least one band."""


def near_equal(fingerprints: Mapping[int, int]) -> list[tuple[int, ...]]:
    """Return the groups of keys whose fingerprints differ in at most :data:`NEAR` bits from another of the group.

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
    """Return, for every band, the groups of keys that agree in all its bits."""
    width = BITS // BANDS
    buckets: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for key, bits in fingerprints.items():
        for band in range(BANDS):
            buckets[band, bits >> band * width & ((1 << width) - 1)].append(key)
    return [keys for keys in buckets.values() if len(keys) > 1]


def _head(leader: dict[int, int], key: int) -> int:
    """Return the key that represents a key's group."""
    while leader[key] != key:
        leader[key] = leader[leader[key]]
        key = leader[key]
    return key
