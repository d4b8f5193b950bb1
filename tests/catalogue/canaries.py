"""Invented people in every place of an export that a person's name can stand in, and a scan of bytes for them.

A canary is one made-up word, number or date. None may turn up in anything that ``prepare`` makes or prints, but for the
list of what was left out, which is private and names files by design.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, PngImagePlugin
from pydicom.dataset import Dataset

from tests.catalogue.place import Place
from tests.catalogue.run import prepare

HEADER: Mapping[str, str] = {
    "PatientName": "Zqname^Zqgiven",
    "PatientID": "ZQPATIENT1",
    "PatientBirthDate": "19420307",
    "OtherPatientIDs": "ZQOTHERID",
    "PatientAddress": "Zqlane 7",
    "PatientComments": "Zqcomment",
    "AccessionNumber": "ZQACC00071",
    "StudyInstanceUID": "1.9.4242424242",
    "SOPInstanceUID": "1.9.4343434343",
    "StudyDate": "20210317",
    "StudyID": "ZQSTUDYID",
    "StudyDescription": "Zqdescription",
    "InstitutionName": "Zqhospital",
    "StationName": "ZQSTATION",
    "ReferringPhysicianName": "Zqreferrer",
    "OperatorsName": "Zqoperator",
    "ImageComments": "Zqimagecomment",
    "ViewPosition": "ZQVIEW",
    "BodyPartExamined": "ZQPART",
    "DeviceSerialNumber": "ZQSERIAL",
}
ELSEWHERE: Mapping[str, str] = {
    "preamble": "Zqpreamble",
    "meta information": "ZQSOURCE",
    "private tag": "Zqprivate",
    "private sequence": "Zqprivnested",
    "nested sequence": "Zqnested",
    "overlay's label": "Zqlabel",
    "overlay's pixels": "Zqoverlaybits",
    "behind the pixels": "Zqtrailing",
    "folder's name": "Zqfolder",
    "image's name": "Zqfile_19420308",
    "broken file's name": "Zqbroken",
    "comment of a PNG": "Zqpngtext",
    "name of a PNG": "Zqpngname",
}
REPORT: Mapping[str, str] = {
    "title": "Zqheadname",
    "record number": "55501234",
    "date of birth": "03/09/1942",
    "history": "Zqhistory",
    "physician": "Zqdoctor",
    "date in words": "March 18, 2021",
    "telephone": "014-2231",
    "e-mail": "zqmail",
    "address": "Zqstreet",
    "signature": "Zqsigned",
}
CELLS: Mapping[str, str] = {
    "patient": "ZQCELLPATIENT",
    "another column": "Zqcell",
    "accession": "ZQCELLACC",
    "label": "Zqlabelled",
}
BARE = "Zqbare"
"""A surname without a cue, which the scrubber cannot find and says so: docs/data.md, "De-identification"."""

TEXT = f"""CHEST RADIOGRAPH
PATIENT NAME: {REPORT["title"]}, Jane   MRN: {REPORT["record number"]}   DOB: {REPORT["date of birth"]}
HISTORY: {REPORT["history"]} fell.
FINDINGS: Clear lungs. Discussed with Dr. {REPORT["physician"]} on {REPORT["date in words"]}, tel. (555) {REPORT["telephone"]},
{REPORT["e-mail"]}@example.org. Lives at 14 {REPORT["address"]} Street, Springfield, IL 62704. MRN {REPORT["record number"]}.
IMPRESSION: Normal. {BARE} agrees.
Electronically signed by: {REPORT["signature"]}, MD
"""  # noqa: E501
ALL: tuple[str, ...] = (*HEADER.values(), *ELSEWHERE.values(), *REPORT.values(), *CELLS.values())
WORDS: tuple[str, ...] = tuple(word for canary in ALL for word in canary.split("^"))
EXCLUDED: Mapping[str, str] = {
    "quarantine.csv": "names the files that were left out, so that they can be found; mode 0600, stays at the site"
}
"""Files of a prepared site that are not scanned, and why."""


@dataclass(frozen=True)
class Hit:
    """A canary that was found, and where."""

    where: str
    canary: str


def scan(folder: Path, canaries: Iterable[str] = WORDS, *, excluded: Iterable[str] = EXCLUDED) -> list[Hit]:
    """Return every canary in any byte of any file below a folder, and in any file's name."""
    searched = tuple(canaries)
    hits: list[Hit] = []
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        hits.extend(scan_bytes(name.encode("utf-8", "surrogateescape"), searched, where=f"name of {name}"))
        if path.is_file() and name not in tuple(excluded):
            hits.extend(scan_bytes(path.read_bytes(), searched, where=name))
    return hits


def scan_bytes(data: bytes, canaries: Iterable[str], *, where: str) -> Iterator[Hit]:
    """Yield the canaries in some bytes, as UTF-8 or UTF-16, in any case."""
    lower = data.lower()
    for canary in canaries:
        forms = (canary.lower().encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be"))
        if any(form in lower for form in forms):
            yield Hit(where, canary)


def plant_canaries(export: Path) -> None:
    """Write an export of three studies, each full of canaries, with text files in ``reports`` and a ``table.csv``."""
    place = Place(export, ELSEWHERE["folder's name"], 0)
    path = place.save(film(place), ELSEWHERE["image's name"] + ".dcm")
    whole = path.read_bytes()
    preamble = ELSEWHERE["preamble"].encode()
    path.write_bytes(preamble + bytes(128 - len(preamble)) + whole[128:])
    place.put(b"", ELSEWHERE["broken file's name"])
    other = Place(export, place.name, 1)
    other.save(other.film(AccessionNumber=CELLS["accession"], PatientID=CELLS["patient"]), "2.dcm")
    comment = PngImagePlugin.PngInfo()
    comment.add_text("Comment", ELSEWHERE["comment of a PNG"])
    picture = Image.effect_noise((32, 32), 80)
    picture.save(place.images / f"{ELSEWHERE['name of a PNG']}.png", pnginfo=comment)
    write_reports(export)


def write_reports(export: Path) -> None:
    """The reports, as text files named by accession number or image, and as a table."""
    keys = (HEADER["AccessionNumber"], CELLS["accession"], ELSEWHERE["name of a PNG"])
    (export / "reports").mkdir()
    with (export / "table.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["accession", "image", "patient_id", "report", "radiologist", "labels"])
        for number, key in enumerate(keys):
            (export / "reports" / f"{key}.txt").write_text(TEXT, encoding="utf-8")
            patient = (HEADER["PatientID"], CELLS["patient"], "ZQPATIENT1")[number]
            named = ("", f"{key}.png") if number == 2 else (key, "")
            labels = f"Edema|seen by Dr. {CELLS['label']}|MRN {REPORT['record number']}|{CELLS['label']}, Jane"
            table.writerow([*named, patient, TEXT, CELLS["another column"], labels])


def film(place: Place) -> Dataset:
    """A radiograph with a canary wherever a header can hold one."""
    film = place.film(**HEADER)
    film.file_meta.SourceApplicationEntityTitle = ELSEWHERE["meta information"]
    inner, outer, own = Dataset(), Dataset(), Dataset()
    inner.PatientName = ELSEWHERE["nested sequence"]
    outer.ReferencedPatientSequence = [inner]
    film.RequestAttributesSequence = [outer]
    own.PatientName = ELSEWHERE["private sequence"]
    block = film.private_block(0x0019, "ZQ", create=True)
    block.add_new(1, "LO", ELSEWHERE["private tag"])
    block.add_new(2, "SQ", [own])
    add_overlay(film)
    film.add_new((0xFFFC, 0xFFFC), "OB", ELSEWHERE["behind the pixels"].encode() + b"\0")
    return film


def add_overlay(film: Dataset) -> None:
    """A graphic over the picture whose label and whose bits spell canaries."""
    for element, kind, value in (
        (0x0010, "US", film.Rows),
        (0x0011, "US", film.Columns),
        (0x0022, "LO", ELSEWHERE["overlay's label"]),
        (0x0040, "CS", "G"),
        (0x0050, "SS", [1, 1]),
        (0x0100, "US", 1),
        (0x0102, "US", 0),
        (0x3000, "OW", ELSEWHERE["overlay's pixels"].encode().ljust(film.Rows * film.Columns // 8, b"\0")),
    ):
        film.add_new((0x6000, element), kind, value)


def canary_hits(folder: Path) -> list[Hit]:
    """Plant, prepare from text files and from a table, and return the canaries in the sites and in what was printed.

    Args:
        folder: empty; ``export`` is written in it, and the sites ``text`` and ``table``.
    """
    export = folder / "export"
    plant_canaries(export)
    hits: list[Hit] = []
    for site, reports in (("text", "reports"), ("table", "table.csv")):
        done = prepare(export / "images", export / reports, folder / site, "--image-size", "16")
        hits.extend(scan_bytes(done.printed, WORDS, where=f"printed for {site}"))
        hits.extend(scan(folder / site))
    return hits
