"""Runs all checks on a site."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from admin.site.doctor.checks.duplicate_checks import DUPLICATE_CHECKS
from admin.site.doctor.checks.export_checks import EXPORT_CHECKS
from admin.site.doctor.checks.header_checks import HEADER_CHECKS
from admin.site.doctor.checks.identity_checks import IDENTITY_CHECKS
from admin.site.doctor.checks.image_checks import IMAGE_CHECKS, LIMIT_CHECKS
from admin.site.doctor.checks.label_checks import LABEL_CHECKS
from admin.site.doctor.checks.likeness_checks import LIKENESS_CHECKS
from admin.site.doctor.checks.manifest_checks import MANIFEST_CHECKS
from admin.site.doctor.checks.pairing_checks import PAIRING_CHECKS
from admin.site.doctor.checks.pixel_tag_checks import PIXEL_TAG_CHECKS
from admin.site.doctor.checks.report_checks import REPORT_CHECKS
from admin.site.doctor.checks.split_checks import SPLIT_CHECKS
from admin.site.doctor.collection import collect
from admin.site.doctor.doctor_check import ERROR, Check, Found
from admin.site.doctor.evidence import Evidence

CHECKS: tuple[Check, ...] = (
    *(*MANIFEST_CHECKS, *SPLIT_CHECKS, *PAIRING_CHECKS, *IMAGE_CHECKS, *LIKENESS_CHECKS, *DUPLICATE_CHECKS),
    *(*EXPORT_CHECKS, *HEADER_CHECKS, *PIXEL_TAG_CHECKS, *REPORT_CHECKS, *LABEL_CHECKS, *IDENTITY_CHECKS),
    *LIMIT_CHECKS,
)


@dataclass(frozen=True)
class Result:
    """A check and what it found."""

    check: Check
    found: Found


def examine(evidence: Evidence) -> tuple[Result, ...]:
    """Return what every check finds, in the order of :data:`CHECKS`."""
    return tuple(Result(check, check.look(evidence)) for check in CHECKS)


def has_error(results: tuple[Result, ...]) -> bool:
    """Whether a check found an error."""
    return any(result.found.fired and result.check.severity == ERROR for result in results)


def checks_fired(site: Path, *, free_bytes: int | None = None) -> dict[str, int]:
    """Return check → number of studies or files, for the checks that fire.

    Args:
        site: a data root with its manifest.
        free_bytes: free space to assume; None asks the disk.

    Raises:
        InputError: if there is no manifest.
    """
    with tempfile.TemporaryDirectory(prefix="fedaid-doctor-") as folder:
        evidence = collect(site, Path(folder)).evidence
    if free_bytes is not None:
        evidence = replace(evidence, free_bytes=free_bytes)
    return {result.check.name: result.found.count for result in examine(evidence) if result.found.fired}
