"""Checks of the tags that describe a picture."""

from __future__ import annotations

from collections import Counter

from admin.site.doctor.checks.header_checks import has_header, header_says
from admin.site.doctor.doctor_check import NOTE, WARNING, Check, Found, where
from admin.site.doctor.evidence import Evidence


def ignored_tags(evidence: Evidence) -> Found:
    """Return the studies whose image has tags that cannot be used, and say which tags these are."""
    cases = tuple(case for case in evidence.cases if case.header and case.header.ignored)
    tags = Counter(tag for case in cases if case.header for tag in case.header.ignored)
    said = "; ".join(f"{tag} in {count}" for tag, count in sorted(tags.items()))
    return Found(cases=cases, of=len(evidence.cases), fired=bool(cases), said=said)


PIXEL_TAG_CHECKS = (
    Check(
        "tags-ignored",
        "Images with tags that cannot be used",
        "A tag that describes the pixels is missing, broken or has an impossible value, for example a decimal comma. "
        "The picture is read without it.",
        "Look at the pictures. If they are right, nothing; otherwise correct the tag at the source.",
        NOTE,
        ignored_tags,
        needs=has_header,
    ),
    Check(
        "polarity-contradiction",
        "Images with contradictory polarity",
        "PresentationLUTShape is INVERSE with MONOCHROME2, or IDENTITY with MONOCHROME1. The standard permits neither. "
        "PhotometricInterpretation is followed; some viewers follow the other tag.",
        "Look at each picture: bone must be bright. If it is dark, correct PhotometricInterpretation at the source.",
        WARNING,
        where(header_says(lambda header: header.contradicts_polarity)),
        needs=has_header,
    ),
    Check(
        "pixels-not-square",
        "Images whose pixels are not square",
        "PixelSpacing, ImagerPixelSpacing or PixelAspectRatio says so. The picture is stretched accordingly.",
        "Look at the pictures. If they are distorted, correct the tag at the source.",
        NOTE,
        where(header_says(lambda header: header.not_square)),
        needs=has_header,
    ),
)
