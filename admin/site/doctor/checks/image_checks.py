"""Checks of single image files and pictures."""

from __future__ import annotations

from statistics import median

from admin.site.doctor.doctor_check import NOTE, WARNING, Check, Found, found, image_fault, where
from admin.site.doctor.evidence import Case, Evidence
from fedaid.data.unusable import REMEDIES

TINY = 64
"""Pixels of the shorter side below which a radiograph shows no findings."""
UNREADABLE = (
    *("image-unreadable", "image-crash", "image-timeout", "image-unsupported", "image-size-tags"),
    *(code for code in REMEDIES if code.startswith("image-codec-")),
)
MOST_CLIPPED, LONGEST_ASPECT = 0.15, 2.0
SMALL_PART = 0.25


def tiny(evidence: Evidence) -> Found:
    """Return the images whose shorter side is below :data:`TINY` pixels, or below a quarter of the site's median."""
    sides = {case.line: side for case in evidence.cases if (side := shorter_side(case))}
    least = max(TINY, SMALL_PART * median(sides.values())) if sides else TINY
    return found((case for case in evidence.cases if sides.get(case.line, least) < least), evidence)


def shorter_side(case: Case) -> int | None:
    """Return the pixels of the shorter side by the header, or None if the header does not state them."""
    header = case.header
    return min(header.rows, header.columns) if header and header.rows and header.columns else None


def is_long(case: Case) -> bool:
    """Whether one side of the picture is more than :data:`LONGEST_ASPECT` times the other."""
    return case.picture is not None and case.picture.aspect > LONGEST_ASPECT


def is_clipped(case: Case) -> bool:
    """Whether more than :data:`MOST_CLIPPED` of the pixels have the highest value."""
    return case.picture is not None and case.picture.clipped > MOST_CLIPPED


IMAGE_CHECKS = (
    Check(
        "image-unreadable",
        "Images that cannot be read",
        "The file is damaged, truncated, of another type or in a compression without decoder, or took too long to "
        "decode.",
        "Export the image again, uncompressed.",
        WARNING,
        image_fault(*UNREADABLE),
    ),
    Check(
        "image-too-large",
        "Images above the limit of pixels or bytes",
        "An image with that many pixels could exhaust the memory.",
        REMEDIES["image-too-large"],
        WARNING,
        image_fault("image-too-large"),
    ),
    Check(
        "image-multiframe",
        "Files with several frames",
        "It is not known which frame the report describes.",
        REMEDIES["image-multiframe"],
        WARNING,
        image_fault("image-multiframe"),
    ),
    Check(
        "image-colour",
        "Pictures with colour",
        "A radiograph has no colour. This is a photograph or an annotated screenshot.",
        REMEDIES["image-colour"],
        WARNING,
        image_fault("image-colour"),
    ),
    Check(
        "image-photometric",
        "Images of unknown polarity",
        "Without PhotometricInterpretation it is not known whether low values are bright.",
        REMEDIES["image-photometric"],
        WARNING,
        image_fault("image-photometric"),
    ),
    Check(
        "image-constant",
        "Pictures without content",
        "All pixels have nearly the same value, or are not numbers.",
        REMEDIES["image-constant"],
        WARNING,
        image_fault("image-constant", "image-not-finite"),
    ),
    Check(
        "image-clipped",
        "Overexposed pictures",
        f"More than {MOST_CLIPPED:.0%} of the pixels have the highest value. "
        "Probably the window is wrong and hides findings.",
        "Export the image again without a fixed window.",
        WARNING,
        where(is_clipped),
        screen=True,
    ),
    Check(
        "image-tiny",
        "Images with very few pixels",
        f"A side has fewer than {TINY} pixels, or less than a quarter of the usual number at this site. "
        "Probably a thumbnail.",
        "Export the original image.",
        WARNING,
        tiny,
    ),
    Check(
        "image-aspect",
        "Very long or very wide pictures",
        f"One side is more than {LONGEST_ASPECT:g} times the other. It may be a crop, a ruler or a truncated file.",
        "Look at the picture, and export it again.",
        WARNING,
        where(is_long),
    ),
)


LARGE_FILE = 64 << 20
MODEL_SIDE, BYTES_A_PIXEL = 224, 2


def disk(evidence: Evidence) -> Found:
    """Fires if the decoded pictures do not fit on the disk."""
    needed = len(evidence.cases) * MODEL_SIDE**2 * BYTES_A_PIXEL
    short = evidence.free_bytes < needed
    said = f"{needed >> 20} MiB are needed at {MODEL_SIDE} pixels a side" if short else ""
    return Found(of=len(evidence.cases), fired=short, said=said)


LIMIT_CHECKS = (
    Check(
        "large-files",
        "Very large image files",
        f"They have more than {LARGE_FILE >> 20} MiB each. They are slow to read and are rarely single radiographs.",
        "Check whether they are single radiographs, and use lossless compression.",
        NOTE,
        where(lambda case: case.size > LARGE_FILE),
        needs=lambda case: case.size > 0,
    ),
    Check(
        "disk-space",
        "Too little disk space for decoded pictures",
        f"Training stores every picture decoded, at {MODEL_SIDE} x {MODEL_SIDE} pixels.",
        "Free space on the disk of the site's data.",
        WARNING,
        disk,
    ),
)
