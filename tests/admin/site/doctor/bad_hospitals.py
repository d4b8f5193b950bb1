"""What the doctor says of the bad hospital, and of the practice that stands in for what excludes another check."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from admin.site.doctor.examination import checks_fired
from admin.site.prepare.site_dataset import Export, prepare
from admin.twin.faults.bad_hospital import BAD_PRACTICE, FREE_BYTES, write_bad_export, write_bad_hospital


@dataclass(frozen=True)
class Fired:
    """The checks that fire: in the hospital, and in the practice."""

    hospital: frozenset[str]
    practice: frozenset[str]


def fired_on_bad_hospitals(folder: Path, *, seed: int) -> Fired:
    """Write both, prepare the practice as a site does, and return which checks fire."""
    write_bad_hospital(folder / "hospital", seed=seed)
    reports = write_bad_export(folder / "export", seed=seed)
    images, site = folder / "export" / BAD_PRACTICE.name / "images", folder / "practice"
    prepare(Export(images, site, reports=reports))
    hospital = checks_fired(folder / "hospital", free_bytes=FREE_BYTES)
    return Fired(frozenset(hospital), frozenset(checks_fired(site)))
