"""Plant every fault that a check of paired data should find in a healthy hospital of the twin."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from admin.twin.faults.faulty_site import Fault, faults_of, open_site
from admin.twin.faults.file_faults import FILE_FAULTS
from admin.twin.faults.header_faults import TAG_FAULTS
from admin.twin.faults.identity_faults import IDENTITY_FAULTS
from admin.twin.faults.image_faults import IMAGE_FAULTS
from admin.twin.faults.manifest_faults import MANIFEST_FAULTS, SPELLING_FAULTS, WHOLE_MANIFEST_FAULTS
from admin.twin.faults.report_faults import REPORT_FAULTS
from fedaid.errors import require

FAULTS: Mapping[str, Fault] = faults_of(
    *(MANIFEST_FAULTS, IMAGE_FAULTS, TAG_FAULTS, FILE_FAULTS, REPORT_FAULTS, IDENTITY_FAULTS, SPELLING_FAULTS),
    WHOLE_MANIFEST_FAULTS,
)
"""Name → fault. Manifest faults come first, because they move patients between splits before rows contradict."""

REASONS: Mapping[str, str] = {
    "missing-image": "image-missing",
    "fifo": "image-missing",
    "undecodable-name": "image-missing",
    "path-outside-root": "image-outside-root",
    "windows-path": "image-windows-path",
    "path-in-capitals": "image-other-case",
    "symlink-out-of-root": "image-outside-root",
    "truncated-pixels": "image-unreadable",
    "unreadable-file": "image-unreadable",
    "text-as-image": "image-unsupported",
    "empty-file": "image-unsupported",
    "preamble-only": "image-unsupported",
    "huge-image": "image-too-large",
    "several-frames": "image-multiframe",
    "coloured-image": "image-colour",
    "missing-photometric": "image-photometric",
    "constant-image": "image-constant",
    "declared-burned-in": "image-burned-in",
    "missing-report": "report-missing",
    "empty-report": "report-empty",
    "header-only-report": "report-empty",
    "latin1-report": "report-unreadable",
    "utf16-report": "report-unreadable",
    "oversized-report": "report-too-large",
    "document-report": "report-not-text",
    "markup-report": "report-not-text",
}
"""Fault → the reason of :mod:`fedaid.data.unusable` for which the study is skipped; other faults skip no study."""


def spoil(
    site_folder: Path, *, seed: int, copies: int = 1, whole_manifest: bool = True
) -> Mapping[str, tuple[str, ...]]:
    """Plant every fault in a healthy hospital and return fault → identifiers of its studies.

    A study has at most one fault. The files of all other studies stay unchanged; only their split may change.

    Args:
        site_folder: folder of a hospital that :func:`admin.twin.consortium.write_consortium` wrote.
        seed: seed of the choice of studies.
        copies: number of copies of each fault; the tiny validation split is planted once.
        whole_manifest: whether to plant also the faults for which the whole manifest must be refused.

    Raises:
        InputError: the hospital has too few studies (about 85 per copy), or ``copies`` is below 1.
    """
    require(copies >= 1, "copies", "be 1 or more", got=copies, where="faults", remedy="Try 1.")
    site = open_site(site_folder, seed=seed)
    planted: dict[str, tuple[str, ...]] = {}
    for name, plant in FAULTS.items():
        if whole_manifest or name not in WHOLE_MANIFEST_FAULTS:
            times = 1 if name == "tiny-validation-split" else copies
            planted[name] = tuple(study for _ in range(times) for study in plant(site))
    site.save()
    return planted


def plant_faults(site_folder: Path, *, seed: int, copies: int = 1, whole_manifest: bool = True) -> Mapping[str, int]:
    """Plant every fault in a healthy hospital and return fault → number of studies; see :func:`spoil`."""
    planted = spoil(site_folder, seed=seed, copies=copies, whole_manifest=whole_manifest)
    return {name: len(studies) for name, studies in planted.items()}
