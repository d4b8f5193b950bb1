"""Reads Open-i's Indiana University chest X-rays: the XML files, or the two tables derived from them.

Source: https://openi.nlm.nih.gov/faq (``NLMCXR_png.tgz``, ``NLMCXR_reports.tgz`` with ``ecgen-radiology/1.xml``), and
``indiana_reports.csv`` and ``indiana_projections.csv`` of kaggle.com/datasets/raddar/chest-xrays-indiana-university.
They do not state the patient, so each study counts as one patient.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

from admin.site.prepare.presets.layout import missing, view_of
from admin.site.prepare.records import Record, sectioned
from admin.site.prepare.rows import read_rows
from admin.site.prepare.scan import find_files
from fedaid.data.report.report_file import MAX_BYTES
from fedaid.errors import InputError

NAME = "openi"
REPORTS, PROJECTIONS = "indiana_reports.csv", "indiana_projections.csv"


def openi(images: Path, reports: Path) -> Iterator[Record]:
    """Yield the studies. Images are found by name, at any depth below ``images``.

    Args:
        images: the folder of PNG files.
        reports: the folder of XML files, or the folder of the two tables, or ``indiana_reports.csv``.

    Raises:
        InputError: if both are missing, or an XML file is not valid.
    """
    folder = reports if reports.is_dir() else reports.parent
    documents = sorted(reports.rglob("*.xml")) if reports.is_dir() else []
    if documents:
        yield from _of_documents(documents, _by_name(images))
    elif (folder / REPORTS).is_file():
        yield from _of_tables(folder, _by_name(images))
    else:
        raise missing("--reports", f"ecgen-radiology/*.xml or {REPORTS}", preset=NAME)


def _of_tables(folder: Path, paths: Mapping[str, str]) -> Iterator[Record]:
    """Yield the studies of the two tables."""
    if not (folder / PROJECTIONS).is_file():
        raise missing("--reports", PROJECTIONS, preset=NAME)
    images: dict[str, list[tuple[str, str]]] = {}
    for _, cells in read_rows(folder / PROJECTIONS, needs=("uid", "filename", "projection")):
        name = cells["filename"]
        images.setdefault(cells["uid"], []).append((paths.get(name, f"missing/{name}"), view_of(cells["projection"])))
    for at, cells in read_rows(folder / REPORTS, needs=("uid", "findings", "impression")):
        labels = [label.strip() for label in cells.get("problems", "").split(";")]
        yield _record(cells["uid"], at, sectioned(cells), labels=labels, images=images.get(cells["uid"], []))


def _of_documents(documents: list[Path], paths: Mapping[str, str]) -> Iterator[Record]:
    """Yield the studies of the XML files."""
    for number, document in enumerate(documents, start=1):
        at = f"XML file {number} of {len(documents)}, by name"
        root = _parsed(document, at)
        named = root.find(".//uId")
        uid = (named.get("id") if named is not None else None) or document.stem
        texts = {
            (text.get("Label") or "").lower(): "".join(text.itertext()).strip() for text in root.iter("AbstractText")
        }
        labels = [(term.text or "").split("/")[0].strip() for term in root.findall(".//MeSH/major")]
        names = [f"{image.get('id')}.png" for image in root.iter("parentImage") if image.get("id")]
        images = [(paths.get(name, f"missing/{name}"), "") for name in names]
        yield _record(uid, at, sectioned(texts), labels=labels, images=images)


def _record(uid: str, at: str, text: str, *, labels: list[str], images: list[tuple[str, str]]) -> Record:
    return Record(
        keys=(("study", uid),),
        name=at,
        text=text,
        patient=f"study {uid}",
        labels="|".join(dict.fromkeys(filter(None, labels))),
        images=tuple(images),
        alone=True,
    )


def _parsed(document: Path, at: str) -> ElementTree.Element:
    """Return the root of an XML file. A document type is refused, because its entities can grow without bound."""
    try:
        with document.open("rb") as file:
            text = file.read(MAX_BYTES + 1).decode("utf-8-sig")
        if len(text) <= MAX_BYTES and "<!DOCTYPE" not in text and "<!ENTITY" not in text:
            return ElementTree.fromstring(text)  # noqa: S314 - without entities, see above
    except (OSError, UnicodeDecodeError, ValueError, ElementTree.ParseError):
        pass
    rule, remedy = "be complete and without DOCTYPE", "Download the reports again."
    raise InputError("an XML report", rule, got="something else", where=at, remedy=remedy)


def _by_name(images: Path) -> dict[str, str]:
    """Return name of an image file → its path relative to the folder."""
    found: dict[str, str] = {}
    for file in find_files(images):
        name = PurePosixPath(file.relative).name
        if found.setdefault(name, file.relative) != file.relative and name.lower().endswith(".png"):
            remedy = "Give the folder of one copy of the data set."
            got = "two files of one name"
            raise InputError("--images", "hold each image once", got=got, where=f"preset {NAME}", remedy=remedy)
    return found
