"""Files of one study that say they are one and the same image, and are not."""

from __future__ import annotations

import filecmp
from collections.abc import Iterable
from pathlib import Path

from admin.prepare.imaged_study import ImageFile, study_of
from admin.prepare.scan import Found


def torn_studies(files: Iterable[tuple[Found, ImageFile]], images: Path) -> frozenset[str]:
    """Return the studies in which two files carry one SOPInstanceUID with different bytes.

    One of the two was changed after it was made, or is another patient's; which, no file says. A file that an export
    holds twice is no fault.

    Args:
        files: described.
        images: the folder that holds them.

    Raises:
        OSError: if a file is gone.
    """
    first: dict[tuple[str, str], Found] = {}
    torn: set[str] = set()
    for found, image in files:
        earlier = first.setdefault((study_of(image), image.instance), found) if image.instance else found
        if earlier is not found and not filecmp.cmp(images / earlier.relative, images / found.relative, shallow=False):
            torn.add(study_of(image))
    return frozenset(torn)
