"""Reads public data sets and other projects' tables: ``--preset``.

Each preset is a function of two paths, ``--images`` and ``--reports``. It returns one record for each study, with the
images, and with patient and split where the data set states them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from admin.site.prepare.presets.cxr_clip import cxr_clip
from admin.site.prepare.presets.mimic_cxr_jpg import mimic_cxr_jpg
from admin.site.prepare.presets.open_clip import open_clip
from admin.site.prepare.presets.openi import openi
from admin.site.prepare.presets.own_manifest import own_manifest
from admin.site.prepare.records import Record
from fedaid.errors import InputError, closest

PRESETS: Mapping[str, Callable[[Path, Path], Iterable[Record]]] = MappingProxyType(
    {
        "cxr-clip": cxr_clip,
        "manifest": own_manifest,
        "mimic-cxr-jpg": mimic_cxr_jpg,
        "open-clip": open_clip,
        "openi": openi,
    }
)


def imported_records(preset: str, images: Path, reports: Path) -> list[Record]:
    """Return the records of a data set.

    Args:
        preset: one of :data:`PRESETS`.
        images: the folder of its images.
        reports: the folder or table of its reports.

    Raises:
        InputError: if the preset is unknown, or if a part of its layout is missing. The message names the part.
    """
    where = "command line"
    if preset not in PRESETS:
        raise InputError("--preset", "be known", got=preset, where=where, remedy=closest(preset, list(PRESETS)))
    records = list(PRESETS[preset](images, reports))
    if not any((images / path).is_file() for record in records for path, _ in record.images):
        got = f"no image of {len(records)} studies"
        remedy = "Give the folder to which the paths of the table are relative; see docs/data.md."
        raise InputError("--images", f"hold the images of preset {preset}", got=got, where=where, remedy=remedy)
    return records
