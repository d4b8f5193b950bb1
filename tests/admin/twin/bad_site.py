"""A hospital before and after faults were planted in it, for the tests of the faults."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import FileDataset

from admin.twin.consortium import write_consortium
from admin.twin.faults.planted import spoil
from admin.twin.hospital import Hospital

STUDIES, SEED, COPIES = 190, 5, 2


@dataclass(frozen=True)
class BadSite:
    """The healthy folder, the spoilt one, and fault → studies that have it."""

    healthy: Path
    spoilt: Path
    planted: Mapping[str, tuple[str, ...]]

    @property
    def contents(self) -> list[bytes]:
        """The bytes of every regular file of the spoilt folder that may be read."""
        files = [path for path in sorted(self.spoilt.rglob("*")) if path.is_file() and not path.is_symlink()]
        return [path.read_bytes() for path in files if os.access(path, os.R_OK)]

    @property
    def sound(self) -> list[str]:
        """The studies without a fault."""
        at_fault = {study for studies in self.planted.values() for study in studies}
        return [row["study_id"] for row in read_rows(self.spoilt) if row["study_id"] not in at_fault]

    def row(self, study: str, *, before: bool = False) -> dict[str, str]:
        """The only row of a study."""
        (row,) = (row for row in read_rows(self.healthy if before else self.spoilt) if row["study_id"] == study)
        return row

    def image(self, study: str, *, before: bool = False) -> Path:
        """Where the study's row says that its image lies."""
        return (self.healthy if before else self.spoilt) / self.row(study, before=before)["image"]

    def film(self, study: str, *, before: bool = False) -> FileDataset:
        """Its DICOM object."""
        return dcmread(self.image(study, before=before))

    def report(self, study: str, *, before: bool = False) -> bytes:
        """Its report."""
        root = self.healthy if before else self.spoilt
        return (root / self.row(study, before=before)["report_path"]).read_bytes()


def read_rows(folder: Path) -> list[dict[str, str]]:
    """The rows of a manifest."""
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def make_bad_site(folder: Path, hospital: Hospital, *, whole_manifest: bool = False, copies: int = COPIES) -> BadSite:
    """Write a hospital twice and spoil the second."""
    for name in ("healthy", "spoilt"):
        write_consortium(folder / name, hospitals=[replace(hospital, studies=STUDIES)], seed=2, image_size=64)
    roots = folder / "healthy" / hospital.name, folder / "spoilt" / hospital.name
    return BadSite(*roots, spoil(roots[1], seed=SEED, copies=copies, whole_manifest=whole_manifest))
