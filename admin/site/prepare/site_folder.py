"""The paths of a prepared site, its manifest and its lock."""

from __future__ import annotations

import csv
import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fedaid.atomic_file import private_file, write_private
from fedaid.data.manifest import FILE_NAME
from fedaid.errors import InputError

COUNTS = "counts.json"
"""Name of the file of counts, below ``private``."""
_REPORT = re.compile(r"s[a-z0-9]{26}\.txt")
COLUMNS = ("study_id", "patient_id", "image", "image_row", "report_path", "split", "labels", "view", "sex", "age")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the manifest. The paths of image and report follow from the folder."""

    study_id: str
    patient_id: str
    image_row: int
    split: str
    labels: str = ""
    view: str = ""
    sex: str = ""
    age: str = ""


@dataclass(frozen=True)
class SiteFolder:
    """The paths of a prepared site. Only its owner needs to read ``private``.

    Attributes:
        root: the data root.
        image_size: S in pixels.
    """

    root: Path = field()
    image_size: int

    @property
    def private(self) -> Path:
        """The journals and the key."""
        return self.root / "private"

    @property
    def reports(self) -> Path:
        """The folder of reports, one text file per study."""
        return self.root / "reports"

    @property
    def pixels(self) -> Path:
        """The file of decoded images."""
        return self.root / f"images-{self.image_size}.npy"

    @property
    def quarantine(self) -> Path:
        """The quarantine: the list of what was left out."""
        return self.root / "quarantine.csv"

    def make(self) -> None:
        """Make the folders."""
        for folder in (self.private, self.reports):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def write_counts(self, counts: Mapping[str, object]) -> None:
        """Write what the doctor cannot count itself."""
        write_private(self.private / COUNTS, json.dumps(counts) + "\n")

    def write_manifest(self, lines: Sequence[Line]) -> None:
        """Write the manifest atomically."""
        with private_file(self.root / FILE_NAME) as file:
            table = csv.writer(file)
            table.writerow(COLUMNS)
            table.writerows(self._cells(line) for line in sorted(lines, key=lambda line: line.study_id))
        self._withdraw({line.study_id for line in lines})

    def _withdraw(self, kept: Set[str]) -> None:
        """Remove the reports of studies that are no longer in the manifest."""
        for report in self.reports.iterdir():
            if _REPORT.fullmatch(report.name) and report.stem not in kept:
                report.unlink()

    def _cells(self, line: Line) -> tuple[str | int, ...]:
        """Return the cells of a line, in the order of :data:`COLUMNS`."""
        image, report = self.pixels.name, f"{self.reports.name}/{line.study_id}.txt"
        named = (line.study_id, line.patient_id, image, line.image_row, report)
        return *named, line.split, line.labels, line.view, line.sex, line.age

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the site's lock, so that no other run works on it.

        Raises:
            InputError: if another run holds the lock.
        """
        lock = os.open(self.private / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            where, remedy = "private/lock", "Wait until the other run ends."
            raise InputError(
                "--out", "be prepared by one run at a time", got="a second run", where=where, remedy=remedy
            ) from None
        finally:
            os.close(lock)
