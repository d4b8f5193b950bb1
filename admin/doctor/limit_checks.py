"""Checks of room on the disk and of the size of files."""

from __future__ import annotations

from admin.doctor.check import NOTE, WARNING, Check, Found, where
from admin.doctor.evidence import Evidence

LARGE_FILE = 64 << 20
MODEL_SIDE, BYTES_A_PIXEL = 224, 2


def disk(evidence: Evidence) -> Found:
    """Whether the decoded pictures would not fit on the disk."""
    needed = len(evidence.cases) * MODEL_SIDE**2 * BYTES_A_PIXEL
    short = evidence.free_bytes < needed
    said = f"{needed >> 20} MiB are needed at {MODEL_SIDE} pixels a side" if short else ""
    return Found(of=len(evidence.cases), fired=short, said=said)


LIMIT_CHECKS = (
    Check(
        "large-files",
        "Very large image files",
        f"More than {LARGE_FILE >> 20} MiB each: slow to read, and rarely single radiographs.",
        "Look whether they are single radiographs; compress them without loss.",
        NOTE,
        where(lambda case: case.size > LARGE_FILE),
        needs=lambda case: case.size > 0,
    ),
    Check(
        "disk-space",
        "Too little room for decoded pictures",
        f"Training keeps every picture decoded; it needs the room at {MODEL_SIDE} pixels a side.",
        "Make room on the disk of the site's data.",
        WARNING,
        disk,
    ),
)
