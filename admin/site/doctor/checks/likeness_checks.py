"""Screens of pictures: orientation, likeness to a chest, and letters."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

from admin.site.doctor.doctor_check import NOTE, WARNING, Check, Found, Look, Test, found, where
from admin.site.doctor.evidence import Case, Evidence
from admin.site.films.chest_template import Pose

MARGIN, MIRROR_MARGIN = 0.05, 0.015
LEAST_LIKENESS, LEAST_LUNGS, DEVIATIONS = 0.15, 0.0, 4.0
DEVIATION = 1.4826
"""Standard deviation of a normal distribution, in median absolute deviations."""


def lies(how: str) -> Look:
    """Return a look that finds the frontal pictures in this orientation, by its name in :class:`Pose`."""
    return where(lambda case: case.picture is not None and case.frontal and case.picture.pose.lies(how, margin=MARGIN))


def is_mirrored(case: Case) -> bool:
    """Whether an upright frontal picture is more similar to a mirrored drawn chest."""
    pose = case.picture.pose if case.picture and case.frontal else None
    return pose is not None and pose.is_upright and pose.mirrored >= MIRROR_MARGIN


def unlike_chest(evidence: Evidence) -> Found:
    """Return the frontal pictures without two dark lungs, or far less similar to a chest than usual at the site."""
    seen = [case for case in evidence.cases if case.picture and case.frontal]
    likeness = {case.line: _likeness(case.picture.pose) for case in seen if case.picture}
    lungs = {case.line: case.picture.pose.lungs for case in seen if case.picture and case.picture.pose.is_upright}
    outlying = _outlying(likeness, least=LEAST_LIKENESS) | _outlying(lungs, least=LEAST_LUNGS)
    return found((case for case in seen if case.line in outlying), evidence)


def _likeness(pose: Pose) -> float:
    """Return the highest correlation with a drawn chest over all orientations."""
    return pose.upright + max(0.0, pose.inverted, pose.sideways, pose.upside_down)


def _outlying(values: Mapping[int, float], *, least: float) -> set[int]:
    """Return the keys of values below `least`, or more than :data:`DEVIATIONS` deviations below the median."""
    if not values:
        return set()
    middle = median(values.values())
    deviation = DEVIATION * median(abs(value - middle) for value in values.values())
    return {key for key, value in values.items() if value < max(least, middle - DEVIATIONS * deviation)}


def has_letters(case: Case) -> bool:
    """Whether letters that may be a name were found in the full picture."""
    return case.letters is not None and case.letters.found


def is_looked_at(case: Case) -> bool:
    """Whether the full picture was searched for letters and has enough pixels for them."""
    return case.letters is not None and (case.letters.seen or case.letters.found)


def _screen(
    name: str, title: str, look: Look, *, meaning: str, remedy: str, severity: str = WARNING, needs: Test | None = None
) -> Check:
    return Check(name, title, meaning, remedy, severity, look, screen=True, needs=needs)


_UPRIGHT = "Look at the picture, and export it upright. FedAID never changes the orientation."


LIKENESS_CHECKS = (
    _screen(
        "image-inverted",
        "Pictures with inverted grey values",
        lies("inverted"),
        meaning="The inverted picture is more similar to a chest. "
        "Probably PhotometricInterpretation is wrong or was lost.",
        remedy="Correct PhotometricInterpretation, or export the image again.",
    ),
    _screen(
        "image-sideways",
        "Pictures rotated by 90 degrees",
        lies("sideways"),
        meaning="The rotated picture is more similar to a chest.",
        remedy=_UPRIGHT,
    ),
    _screen(
        "image-upside-down",
        "Pictures upside down",
        lies("upside_down"),
        meaning="The picture is more similar to a chest if it is rotated by 180 degrees or flipped top to bottom.",
        remedy=_UPRIGHT,
    ),
    _screen(
        "image-mirrored",
        "Pictures that may be mirrored",
        where(is_mirrored),
        meaning="The heart seems to be on the other side. This check finds half of the mirrored pictures. "
        "A shifted heart causes a false alarm.",
        remedy="Look at the side marker. If there are many, check how images are exported.",
        severity=NOTE,
    ),
    _screen(
        "unlike-chest",
        "Pictures unlike a frontal chest",
        unlike_chest,
        meaning="The picture does not show two dark lungs, or is much less similar to a chest than the others. "
        "It may be a lateral view, another body part or a phantom.",
        remedy="Look at the picture. Correct column 'view', or leave the study out.",
    ),
    _screen(
        "burned-in-text",
        "Pictures with letters that may be a name",
        where(has_letters),
        meaning="Names and dates in the pixels are not removed with the header. "
        "Markers of side, view, position and time do not count.",
        remedy="Look at each picture. Mask the letters, or prepare again with --quarantine-letters.",
        needs=is_looked_at,
    ),
    Check(
        "letters-not-looked-for",
        "Pictures in which nobody looked for letters",
        "A name in the pixels would stay. The picture has too few pixels for letters, "
        "or it was prepared with --letters off or by an earlier version.",
        "Run prepare with --letters ocr on the original files, or look at the pictures yourself.",
        WARNING,
        where(lambda case: case.picture is not None and not is_looked_at(case)),
    ),
)
