"""Checks of the pairing of images and reports."""

from __future__ import annotations

from collections import Counter

from admin.site.doctor.doctor_check import ERROR, NOTE, WARNING, Check, Found, image_fault, report_fault, where
from admin.site.doctor.evidence import Case, Evidence
from admin.site.prepare.quarantine import REMEDIES

MOST_UNUSABLE = 0.2
"""The default of ``python -m admin prepare --max-bad-share``."""


def unusable(evidence: Evidence) -> Found:
    """Return the studies that cannot be used, by reason; fires above :data:`MOST_UNUSABLE`."""
    cases = tuple(case for case in evidence.cases if not case.usable)
    reasons = Counter(reason for case in cases for reason in (case.image_fault, case.report_fault) if reason)
    fired = len(cases) > MOST_UNUSABLE * len(evidence.cases)
    return Found(cases=cases, detail=dict(sorted(reasons.items())), of=len(evidence.cases), fired=fired)


def quarantined(evidence: Evidence) -> Found:
    """Return the files that ``python -m admin prepare`` left out, by code."""
    codes: Counter[str] = Counter()
    for code, number in evidence.quarantined.items():
        codes[code if code in REMEDIES else "another code"] += number
    total = codes.total()
    return Found(detail=dict(sorted(codes.items())), of=total + len(evidence.cases), fired=total > 0)


def foreign_path(case: Case) -> bool:
    """Whether the path of its image or report is one of another computer."""
    return any((fault or "").endswith("-windows-path") for fault in (case.image_fault, case.report_fault))


def other_case(case: Case) -> bool:
    """Whether the path of its image or report differs from a file's in upper and lower case."""
    return any((fault or "").endswith("-other-case") for fault in (case.image_fault, case.report_fault))


def stray_images(evidence: Evidence) -> Found:
    """Return the image files that no row names."""
    return Found(files=evidence.stray_images, of=len(evidence.cases), fired=bool(evidence.stray_images))


def stray_reports(evidence: Evidence) -> Found:
    """Return the report files that no row names."""
    return Found(files=evidence.stray_reports, of=len(evidence.cases), fired=bool(evidence.stray_reports))


PAIRING_CHECKS = (
    Check(
        "pairing-rate",
        "Too few rows with both an image and a report",
        f"More than {MOST_UNUSABLE:.0%} of the rows cannot be used. Probably the export is wrong, not single files.",
        "Correct the most frequent reason first.",
        ERROR,
        unusable,
    ),
    Check(
        "quarantined",
        "Files that prepare left out",
        "They are in no row of the manifest. quarantine.csv lists them, each with a remedy.",
        "Correct the files in quarantine.csv and run prepare again. It repeats only what has changed.",
        NOTE,
        quarantined,
    ),
    Check(
        "image-missing",
        "Missing images",
        "The study is left out.",
        "Give an existing file in column 'image', relative to the data folder.",
        WARNING,
        image_fault("image-missing"),
    ),
    Check(
        "image-outside-root",
        "Images outside the data folder",
        "A path or a link that leads out of the folder is not followed.",
        "Move the image into the data folder.",
        WARNING,
        image_fault("image-outside-root"),
    ),
    Check(
        "windows-path",
        "Paths of a Windows computer",
        "A path with a drive (C:\\) or a server is not relative to the data folder. The study is left out.",
        "Remove the drive and the folders above the data folder. Backslashes may stay.",
        WARNING,
        where(foreign_path),
    ),
    Check(
        "path-case",
        "Paths that differ from a file in upper and lower case",
        "Windows takes .DCM and .dcm for one, this system does not. The study is left out.",
        "Write the path as the file is named.",
        WARNING,
        where(other_case),
    ),
    Check(
        "report-missing",
        "Missing reports",
        "The study is left out.",
        "Give an existing text file in column 'report_path', relative to the data folder.",
        WARNING,
        report_fault("report-missing", "report-outside-root"),
    ),
    Check(
        "stray-images",
        "Image files without a row",
        "The manifest may lack studies, or a file name in it is misspelt.",
        "Add rows for them, or move the files away.",
        WARNING,
        stray_images,
    ),
    Check(
        "stray-reports",
        "Report files without a row",
        "The manifest may lack studies, or a file name in it is misspelt.",
        "Add rows for them, or move the files away.",
        WARNING,
        stray_reports,
    ),
)
