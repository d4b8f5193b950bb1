"""Checks of what ``prepare`` counted in the export: views that no header states, and files that are no radiographs."""

from __future__ import annotations

from collections.abc import Callable

from admin.site.doctor.doctor_check import NOTE, WARNING, Check, Found
from admin.site.doctor.evidence import Evidence
from fedaid.data.header.file_kind import ARCHIVE


def counted(detail: Callable[[Evidence], dict[str, int]]) -> Callable[[Evidence], Found]:
    """Return a look that fires if one of some counts of ``prepare`` is not 0."""

    def look(evidence: Evidence) -> Found:
        cells = {name: number for name, number in detail(evidence).items() if number}
        return Found(detail=cells, of=sum(cells.values()) + len(evidence.cases), fired=bool(cells))

    return look


def _number(evidence: Evidence, name: str) -> int:
    value = evidence.counts.get(name)
    return value if isinstance(value, int) else 0


def unstated_views(evidence: Evidence) -> dict[str, int]:
    """The studies with several films of unstated view: decided by a picture, and left out."""
    by_picture, several = _number(evidence, "views_by_picture"), _number(evidence, "views_unstated")
    return {"decided by the picture": by_picture, "not decided": max(0, several - by_picture)}


def conflicts(evidence: Evidence) -> dict[str, int]:
    """The films whose header states a frontal and a lateral view."""
    return {"films": _number(evidence, "view_conflicts")}


def objects(evidence: Evidence) -> dict[str, int]:
    """The DICOM objects that are no radiographs, by kind."""
    found = evidence.counts.get("not_radiographs")
    return {str(kind): number for kind, number in found.items()} if isinstance(found, dict) else {}


def archives(evidence: Evidence) -> dict[str, int]:
    """The archives that nobody unpacked."""
    found = evidence.counts.get("other_files")
    return {ARCHIVE: found.get(ARCHIVE, 0)} if isinstance(found, dict) else {}


EXPORT_CHECKS = (
    Check(
        "views-unstated",
        "Several films of unstated view",
        "No header says which film of the study is frontal. A picture decided, or the study was left out.",
        "Look at a sample of these studies. Export the films with ViewPosition.",
        WARNING,
        counted(unstated_views),
    ),
    Check(
        "view-conflict",
        "Headers that state two views",
        "One place of the header says frontal, another lateral. Such a film counts as a film of unstated view.",
        "Correct the view at the source, for example ViewPosition.",
        WARNING,
        counted(conflicts),
    ),
    Check(
        "packed-archives",
        "Archives that were not unpacked",
        "A ZIP, tar, 7z or ISO file lies among the images. prepare does not open it.",
        "Unpack the archives, and run prepare again.",
        WARNING,
        counted(archives),
    ),
    Check(
        "other-objects",
        "DICOM objects that are not radiographs",
        "CT, MR, reports and other objects lie among the films. They are in no study.",
        "Nothing, if the export was meant to hold them.",
        NOTE,
        counted(objects),
    ),
)
