"""The same invented people before the doctor: at a site that was prepared, and at one with a manifest of its own.

The part of its result that may be shared, and all that it prints, must name none of them; its private part may.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

from tests.catalogue.canaries import HEADER, TEXT, WORDS, Hit, plant_canaries, scan, scan_bytes
from tests.catalogue.place import REPORT, Place
from tests.catalogue.run import ROOT, prepare

SOUND = 8
LABEL = "Zqlabelcell"
PLANTED = (*WORDS, LABEL, "ZQSTUDYCELL")


def shared_canary_hits(folder: Path) -> list[Hit]:
    """Examine both sites, and return the canaries in what the doctor shares and prints.

    Args:
        folder: empty; the sites are ``prepared`` and ``own``, the doctor's results ``of-prepared`` and ``of-own``.
    """
    own, prepared = folder / "own", folder / "prepared"
    plant_canaries(own)
    prepare(own / "images", own / "table.csv", prepared, "--image-size", "16")
    write_manifest(own)
    hits: list[Hit] = []
    for site in (own, prepared):
        out = folder / f"of-{site.name}"
        command: list[str | Path] = [sys.executable, "-m", "admin", "doctor", site, "--out", out, "--least-cell", "1"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
        hits.extend(scan_bytes(done.stdout + done.stderr, PLANTED, where=f"printed of {site.name}"))
        hits.extend(scan(out / "shareable", PLANTED))
    return hits


def write_manifest(site: Path) -> None:
    """A manifest over the images with canaries and a few sound ones, with canaries in its own cells."""
    images = sorted(path for path in (site / "images").rglob("*") if path.is_file())
    rows = [
        [f"ZQSTUDYCELL{number}", HEADER["PatientID"], str(path.relative_to(site)), TEXT, LABEL]
        for number, path in enumerate(images)
    ]
    for number in range(SOUND):
        place = Place(site, f"sound-{number}", 100 + number)
        rows.append([f"s{number}", f"p{number}", str(place.save(place.film()).relative_to(site)), REPORT, "normal"])
    with (site / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["study_id", "patient_id", "image", "report", "labels"], *rows])
