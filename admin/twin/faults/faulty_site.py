"""A hospital of the twin while faults are planted in it: which of its studies are still sound, and where files lie."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.random import Generator
from pydicom import dcmread
from pydicom.dataset import FileDataset

from fedaid.errors import InputError

Row = dict[str, str]
Fault = Callable[["FaultySite"], tuple[str, ...]]
"""Plants itself once and returns the studies (or stray files) that are at fault; none where it cannot be planted."""

MANIFEST = "manifest.csv"


@dataclass
class FaultySite:
    """The folder, the manifest's rows, and the sound studies left, in random order."""

    folder: Path
    columns: tuple[str, ...]
    rows: list[Row]
    rng: Generator
    sound: list[Row] = field(default_factory=list)

    def take(self, suits: Callable[[Row], bool] = lambda row: True) -> Row:
        """A sound study that suits, which is sound no longer.

        Raises:
            InputError: if there is none left.
        """
        for index, row in enumerate(self.sound):
            if suits(row):
                return self.sound.pop(index)
        remedy = "Plant the faults in a hospital of a few hundred studies."
        raise InputError("the hospital", "have enough sound studies", got=len(self.rows), where="faults", remedy=remedy)

    def image(self, row: Row) -> Path:
        """Where a study's picture lies."""
        return self.folder / row["image"]

    def report(self, row: Row) -> Path:
        """Where a study's report lies."""
        return self.folder / row["report_path"]

    def text(self, row: Row) -> str:
        """A study's report."""
        return self.report(row).read_text(encoding="utf-8")

    def film(self, row: Row) -> FileDataset:
        """A study's DICOM object."""
        return dcmread(self.image(row))

    def save(self) -> None:
        """Write the manifest with the rows as they are now; a lone surrogate is written as the byte it stands for."""
        path = self.folder / MANIFEST
        with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
            writer = csv.DictWriter(file, self.columns, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)


def open_site(folder: Path, *, seed: int) -> FaultySite:
    """A healthy hospital, all of its studies sound."""
    with (folder / MANIFEST).open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    rng = np.random.default_rng([seed, len(rows)])
    sound = [rows[index] for index in rng.permutation(len(rows)).tolist()]
    return FaultySite(folder, tuple(reader.fieldnames or ()), rows, rng, sound)


def planted_once(plant: Callable[[FaultySite, Row], None]) -> Fault:
    """A fault that concerns one study, whichever it is."""

    def fault(site: FaultySite) -> tuple[str, ...]:
        row = site.take()
        plant(site, row)
        return (row["study_id"],)

    return fault


def faults_of(*tables: Mapping[str, Fault]) -> dict[str, Fault]:
    """Several tables of faults as one, in order."""
    return {name: fault for table in tables for name, fault in table.items()}
