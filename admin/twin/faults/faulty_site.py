"""A hospital of the twin while faults are planted: its remaining sound studies and the paths of its files."""

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
"""Plants one fault and returns the faulty studies or stray files; empty if the fault cannot be planted."""

MANIFEST = "manifest.csv"


@dataclass
class FaultySite:
    """The folder, the manifest's rows, and the remaining sound studies in random order."""

    folder: Path
    columns: tuple[str, ...]
    rows: list[Row]
    rng: Generator
    sound: list[Row] = field(default_factory=list)

    def take(self, suits: Callable[[Row], bool] = lambda row: True) -> Row:
        """Return a sound study that ``suits`` accepts, and remove it from the sound studies.

        Raises:
            InputError: no such study remains.
        """
        for index, row in enumerate(self.sound):
            if suits(row):
                return self.sound.pop(index)
        remedy = "Plant the faults in a hospital of a few hundred studies."
        raise InputError("the hospital", "have enough sound studies", got=len(self.rows), where="faults", remedy=remedy)

    def image(self, row: Row) -> Path:
        """Return the path of a study's image."""
        return self.folder / row["image"]

    def report(self, row: Row) -> Path:
        """Return the path of a study's report."""
        return self.folder / row["report_path"]

    def text(self, row: Row) -> str:
        """Return the text of a study's report."""
        return self.report(row).read_text(encoding="utf-8")

    def film(self, row: Row) -> FileDataset:
        """Return a study's DICOM object."""
        return dcmread(self.image(row))

    def save(self) -> None:
        """Write the manifest with the current rows; a lone surrogate is written as the byte that it represents."""
        path = self.folder / MANIFEST
        with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
            writer = csv.DictWriter(file, self.columns, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)


def open_site(folder: Path, *, seed: int) -> FaultySite:
    """Return a healthy hospital with all studies sound."""
    with (folder / MANIFEST).open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    rng = np.random.default_rng([seed, len(rows)])
    sound = [rows[index] for index in rng.permutation(len(rows)).tolist()]
    return FaultySite(folder, tuple(reader.fieldnames or ()), rows, rng, sound)


def planted_once(plant: Callable[[FaultySite, Row], None]) -> Fault:
    """Return a fault that changes one random study."""

    def fault(site: FaultySite) -> tuple[str, ...]:
        row = site.take()
        plant(site, row)
        return (row["study_id"],)

    return fault


def faults_of(*tables: Mapping[str, Fault]) -> dict[str, Fault]:
    """Return several tables of faults as one, in order."""
    return {name: fault for table in tables for name, fault in table.items()}
