"""The whole catalogue at once through the commands that a site runs: what was injected, and what was counted.

``run_catalogue`` is the benchmark's entry, too.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.catalogue.bad_manifests import BAD_MANIFESTS
from tests.catalogue.bad_manifests import counted as counted_in_manifest
from tests.catalogue.bad_reports import BAD_REPORTS
from tests.catalogue.broken_files import BROKEN_FILES
from tests.catalogue.item import Item
from tests.catalogue.odd_files import ODD_FILES
from tests.catalogue.odd_tags import ODD_TAGS
from tests.catalogue.place import Place

ITEMS: tuple[Item, ...] = (*BROKEN_FILES, *ODD_TAGS, *ODD_FILES, *BAD_REPORTS)
SOUND = 12
ROOT = Path(__file__).parents[2]
BOUND = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
"""Runs a command of root's as one that a file's permissions bind."""


@dataclass(frozen=True)
class Counted:
    """One item with the codes that it must bring and those that it brought, in order; none means that it is used."""

    name: str
    expected: tuple[str, ...]
    counted: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What became of the catalogue.

    Attributes:
        rows: one an item.
        quarantined: code → how many, as ``prepare`` prints it.
        unread: code → how many, as the site's reader counts them in the manifests.
        exit_code: of ``prepare``.
        studies: in the dataset, and how many belong there.
    """

    rows: tuple[Counted, ...]
    quarantined: Mapping[str, int]
    unread: Mapping[str, int]
    exit_code: int
    studies: tuple[int, int]

    @property
    def injected(self) -> dict[str, int]:
        """Code → how many were planted."""
        return dict(sorted(Counter(code for row in self.rows for code in row.expected).items()))

    @property
    def counted(self) -> dict[str, int]:
        """Code → how many were counted."""
        return dict(sorted((Counter(self.quarantined) + Counter(self.unread)).items()))


def run_catalogue(folder: Path) -> Outcome:
    """Plant every item among sound studies in an empty folder, prepare and read it, and return what was counted."""
    export, site = folder / "export", folder / "site"
    planted = plant(export)
    done = prepare(export / "images", export / "reports", site, "--image-size", "16")
    found = by_item(site / "quarantine.csv")
    rows = [Counted(item.name, tuple(sorted(item.codes)), tuple(sorted(found[item.name]))) for item in planted]
    unread: Counter[str] = Counter()
    for bad in BAD_MANIFESTS:
        codes = counted_in_manifest(bad, folder / "manifests" / bad.name)
        rows.append(Counted(bad.name, (bad.code,) if bad.code else (), codes))
        unread.update(codes)
    studies = (done.studies, SOUND + sum(item.used for item in planted))
    return Outcome(tuple(rows), done.quarantined, unread, done.exit_code, studies)


def plant(export: Path) -> list[Item]:
    """Write the sound studies and the items into an export, and return the items that can be planted here."""
    possible = [item for item in ITEMS if not item.needs_permissions or permissions_bind()]
    for number in range(SOUND):
        place = Place(export, f"sound-{number}", len(ITEMS) + number)
        place.save(place.film())
        place.report()
    for number, item in enumerate(ITEMS):
        if item in possible:
            item.plant(Place(export, item.name, number))
    return possible


@dataclass(frozen=True)
class Prepared:
    """How ``prepare`` ended, its result, and all that it printed."""

    exit_code: int
    result: Mapping[str, Any]
    printed: bytes

    @property
    def studies(self) -> int:
        """How many are in the dataset."""
        return int(self.result["studies"])

    @property
    def quarantined(self) -> dict[str, int]:
        """Code → how many were left out."""
        return dict(self.result["quarantined"])


def prepare(images: Path, reports: Path, site: Path, *options: str) -> Prepared:
    """Run ``python -m admin prepare`` as a site does, bound by permissions, whatever share is bad."""
    folders: tuple[str | Path, ...] = ("--images", images, "--reports", reports, "--out", site)
    command = [*bound(), sys.executable, "-m", "admin", "prepare", *folders, "--format", "json", "--max-bad-share", "1"]
    done = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, check=False)
    return Prepared(done.returncode, json.loads(done.stdout)["data"], done.stdout + done.stderr)


def bound() -> Sequence[str]:
    """What to put before a command so that permissions bind it."""
    return BOUND if os.geteuid() == 0 and shutil.which(BOUND[0]) else ()


def permissions_bind() -> bool:
    """Whether a file can be made unreadable for the commands that run here."""
    return os.geteuid() != 0 or bool(bound())


def by_item(quarantine: Path) -> dict[str, list[str]]:
    """Item → the codes of its images and its reports in a list of what was left out."""
    of_report = {Place(Path(), item.name, number).report_file.stem: item.name for number, item in enumerate(ITEMS)}
    found: defaultdict[str, list[str]] = defaultdict(list)
    with quarantine.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            path = Path(row["name"])
            item = of_report.get(path.stem, row["name"]) if path.parts[0] == "reports" else path.parts[0]
            found[item].append(row["code"])
    return found


def by_code(quarantine: Path) -> dict[str, list[str]]:
    """Code → the names in a list of what was left out, in order."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    with quarantine.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found[row["code"]].append(row["name"])
    return {code: sorted(names) for code, names in found.items()}
