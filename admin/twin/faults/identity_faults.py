"""Faults that would identify a patient: an invented person's name in places that a header filter misses.

The texts in :data:`CANARIES` must not appear in anything made from the site's data.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PIL import Image, ImageDraw
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileDataset

from admin.twin.faults.faulty_site import Fault, FaultySite, Row, faults_of, planted_once
from admin.twin.faults.image_faults import put_pixels, retagged

CANARIES: Mapping[str, str] = {
    "burned-in-text": "DOE 19420305",
    "identifiers-in-report": "Jane Quillfeather",
    "identifiers-in-private-tag": "Quillprivate^Jane",
    "identifiers-in-sequence": "Quillnested^Jane",
    "identifiers-in-overlay": "Quilloverlay Jane",
    "identifiers-in-file-name": "QUILLFILE_JANE_19420305",
}
GROUP = 0x6000
PRIVATE = 0x0019


def declared_burned_in(film: FileDataset) -> None:
    """Set the tag for text in the pixels."""
    film.BurnedInAnnotation = "YES"


def burned_in_text(site: FaultySite, row: Row) -> None:
    """Write a name and a date of birth into the picture, twice, in the brightest value."""
    film = site.film(row)
    pixels = film.pixel_array
    ink = Image.new("L", pixels.shape[::-1])
    for height in (2, 14):
        ImageDraw.Draw(ink).text((2, height), CANARIES["burned-in-text"], fill=255)
    bright = 0 if film.PhotometricInterpretation == "MONOCHROME1" else 2**film.BitsStored - 1
    put_pixels(film, np.where(np.asarray(ink) > 127, bright, pixels).astype(pixels.dtype))
    dcmwrite(site.image(row), film, enforce_file_format=True)


def identified_report(site: FaultySite, row: Row) -> None:
    """Add a name, record number, date of birth, telephone number and address to the report."""
    name = CANARIES["identifiers-in-report"]
    line = f"Patient {name}, MRN 00482911, born 03/05/1942, 14 Elm Street, tel. (555) 014-2231, jane@example.org.\n"
    site.report(row).write_text(site.text(row) + line, encoding="utf-8")


def private_tag(film: FileDataset) -> None:
    """Put a name into a private element of the manufacturer."""
    film.private_block(PRIVATE, "TWIN PRIVATE", create=True).add_new(1, "LO", CANARIES["identifiers-in-private-tag"])


def nested_sequence(film: FileDataset) -> None:
    """Put a name into a sequence within a sequence."""
    inner, outer = Dataset(), Dataset()
    inner.PatientName = CANARIES["identifiers-in-sequence"]
    outer.ReferencedPatientSequence = [inner]
    film.RequestAttributesSequence = [outer]


def overlay(film: FileDataset) -> None:
    """Put a name into the description of an overlay."""
    rows, columns = film.Rows, film.Columns
    film.add_new((GROUP, 0x0010), "US", rows)
    film.add_new((GROUP, 0x0011), "US", columns)
    film.add_new((GROUP, 0x0022), "LO", CANARIES["identifiers-in-overlay"])
    film.add_new((GROUP, 0x0040), "CS", "G")
    film.add_new((GROUP, 0x0050), "SS", [1, 1])
    film.add_new((GROUP, 0x0100), "US", 1)
    film.add_new((GROUP, 0x0102), "US", 0)
    film.add_new((GROUP, 0x3000), "OW", bytes((rows * columns + 15) // 16 * 2))


def file_name(site: FaultySite, row: Row) -> None:
    """Put a name and a date of birth into the file's name."""
    image = site.image(row)
    row["image"] = f"images/{CANARIES['identifiers-in-file-name']}_{row['study_id'][-5:]}.dcm"
    image.rename(site.image(row))


HEADER_FAULTS: Mapping[str, Fault] = {
    "declared-burned-in": retagged(declared_burned_in),
    "identifiers-in-private-tag": retagged(private_tag),
    "identifiers-in-sequence": retagged(nested_sequence),
    "identifiers-in-overlay": retagged(overlay),
}
OTHER_FAULTS: Mapping[str, Fault] = {
    "burned-in-text": planted_once(burned_in_text),
    "identifiers-in-report": planted_once(identified_report),
    "identifiers-in-file-name": planted_once(file_name),
}
IDENTITY_FAULTS: Mapping[str, Fault] = faults_of(HEADER_FAULTS, OTHER_FAULTS)
