"""A data set of the benchmark: data roots of its sites, written when a trial first needs them."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

DONE = "set.json"


@dataclass(frozen=True)
class DataSet:
    """Sites to train at, and populations that only test.

    Attributes:
        folder: of the data.
        asked: all that decides the data, but for the code that draws them; plain JSON.
        names: of the sites.
        populations: names of the held-out populations.
        fill: writes them below a folder that is empty.
    """

    folder: Path
    asked: Mapping[str, Any]
    names: Sequence[str]
    populations: Sequence[str]
    fill: Callable[[Path], None]

    @property
    def key(self) -> str:
        """Short, and another for other data."""
        return key_of(self.asked)

    @property
    def sites(self) -> dict[str, Path]:
        """Site → data root."""
        return {name: self.folder / name for name in self.names}

    @property
    def held_out(self) -> dict[str, Path]:
        """Name → data root with a test split only."""
        return {name: self.folder / name for name in self.populations}

    def written(self) -> DataSet:
        """The data set after its files are there: a complete folder is read, one of anything else is emptied."""
        done = self.folder / DONE
        if not (done.is_file() and json.loads(done.read_text()) == self.asked):
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            self.fill(self.folder)
            done.write_text(json.dumps(self.asked))
        return self


def key_of(asked: Any) -> str:
    """Short, and another for anything else that is asked for; of plain JSON."""
    return sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:8]


def read_rows(manifest: Path) -> list[dict[str, str]]:
    """The rows of a table with a head."""
    with manifest.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_rows(manifest: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """A manifest of these rows."""
    with manifest.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
