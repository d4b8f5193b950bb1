"""Hundreds of studies whose accession numbers are shuffled, shared, mistyped and spelt in many ways; wrong pairs made.

A picture shows its study's number as a pattern of blocks, a report says its own as a word, so that a pair tells whether
it is right whatever names and tags say. Every number keeps its rightful owner among the images and among the reports:
where the owner is gone and one other stands alone in its place, the files say that the pair is right, and only a
patient's identifier beside the report can tell otherwise.
"""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fedaid.data.manifest import read_manifest
from tests.catalogue.place import Place
from tests.catalogue.run import prepare

BLOCKS, BLOCK = 4, 8
SIDE = BLOCKS * BLOCK
BITS = BLOCKS * BLOCKS - 2
FORMS = ("reports", "reports.csv", "reports.jsonl")
LETTERS = "bcdfghjklm"
SHARE = 0.06
"""The share of studies with each kind of disorder."""


@dataclass(frozen=True)
class Pairs:
    """How many pairs a site made, and how many of them are of two studies."""

    made: int
    wrong: int


def wrong_pairs(folder: Path, seed: int, *, studies: int = 300) -> dict[str, Pairs]:
    """Write an export with its reports in each form, prepare each, and return form → pairs."""
    rng = random.Random(seed)
    accessions = [
        f"acc{number // 2:04}{'xy'[number % 2]}" if number % 3 else f"{number:05}" for number in range(studies)
    ]
    write_images(folder, accessions, rng)
    write_reports(folder, accessions, rng)
    found: dict[str, Pairs] = {}
    for form in FORMS:
        site = folder / f"site-{form}"
        prepare(folder / "images", folder / form, site, "--image-size", str(SIDE))
        found[form] = pairs_of(site)
    return found


def write_images(folder: Path, accessions: list[str], rng: random.Random) -> None:
    """One or two images a study, under names that mean nothing or name another study."""
    shared = dict(disorder(range(len(accessions)), rng))
    for number in range(len(accessions)):
        place = Place(folder, f"f{rng.randrange(20)}", number)
        film = place.film(SpecificCharacterSet="ISO_IR 192", Rows=SIDE, Columns=SIDE)
        film.AccessionNumber = spelt(accessions[shared.get(number, number)], rng)
        film.PixelData = pattern(number).tobytes()
        names = [f"{rng.getrandbits(40):x}", f"{rng.getrandbits(40):x}.dcm"]
        if rng.random() < SHARE:
            names[0] = f"{rng.choice(accessions)}.dcm"
        for copy, name in enumerate(names[: 1 + (rng.random() < 0.3)]):
            film.SOPInstanceUID = f"1.9.{number}.{copy}"
            place.save(film, name)


def write_reports(folder: Path, accessions: list[str], rng: random.Random) -> None:
    """A report for most studies, some twice and some under another's number, in each form."""
    reported = [number for number in range(len(accessions)) if rng.random() > SHARE]
    named = [(accessions[number], number) for number in reported]
    named += [one for one in named if rng.random() < SHARE]
    named += [(accessions[owner], number) for number, owner in disorder(reported, rng)]
    rng.shuffle(named)
    rows = [(spelt(accession, rng), f"FINDINGS: Clear.\nIMPRESSION: {word(number)}.") for accession, number in named]
    for number, (accession, text) in enumerate(rows):
        path = folder / "reports" / str(number % 7) / str(number) / f"{accession}.txt"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    with (folder / "reports.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("Accession Number", "Report"), *rows])
    lines = (json.dumps({"accession": accession, "report": text}) for accession, text in rows)
    (folder / "reports.jsonl").write_text("\n".join(lines), encoding="utf-8")


def disorder(numbers: Sequence[int], rng: random.Random) -> list[tuple[int, int]]:
    """Some of the studies, each with another one, which is not among them, whose number it is given by mistake."""
    mixed = rng.sample(numbers, len(numbers))
    count = round(SHARE * len(mixed))
    return list(zip(mixed[:count], mixed[count : 2 * count], strict=True))


def spelt(accession: str, rng: random.Random) -> str:
    """An accession number as somebody types it: other case, blanks around or within, wide digits."""
    ways = (
        str.upper,
        str.title,
        lambda text: f" {text}",
        lambda text: f"{text[:3]} {text[3:]}",
        lambda text: text.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)}),
        str,
    )
    return rng.choice(ways)(accession)


def pattern(number: int) -> NDArray[np.uint16]:
    """The (SIDE, SIDE) picture of a study: a block a bit, behind a dark and a bright block."""
    bits = [0, 1, *(number >> bit & 1 for bit in range(BITS))]
    blocks = np.array(bits, dtype=np.uint16).reshape(BLOCKS, BLOCKS) * 4000
    return np.kron(blocks, np.ones((BLOCK, BLOCK), dtype=np.uint16))


def number_of(picture: NDArray[np.float16]) -> int:
    """The study that a picture (SIDE, SIDE) shows."""
    centres = picture[BLOCK // 2 :: BLOCK, BLOCK // 2 :: BLOCK].ravel() > 0.5
    return sum(int(bright) << bit for bit, bright in enumerate(centres[2:]))


def word(number: int) -> str:
    """The word by which a report names its study."""
    return "quil" + "".join(LETTERS[int(digit)] for digit in f"{number:05}")


def pairs_of(site: Path) -> Pairs:
    """Compare every picture of a prepared site with its report."""
    studies = read_manifest(site).studies
    wrong = 0
    for study in studies:
        pixels = np.load(study.image, mmap_mode="r", allow_pickle=False)
        wrong += word(number_of(pixels[study.row])) not in study.text
    return Pairs(made=len(studies), wrong=wrong)
