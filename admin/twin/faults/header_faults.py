"""Faults of a DICOM header: missing tags, false sizes, and tags of an unusual kind of picture."""

from __future__ import annotations

from collections.abc import Mapping

from pydicom import dcmwrite
from pydicom.dataset import FileDataset

from admin.twin.faults.faulty_site import Fault, FaultySite, Row, planted_once
from admin.twin.faults.image_faults import from_the_side, put_pixels, retagged

CLAIMED_SIDE = 30_000


def claimed_huge(film: FileDataset) -> None:
    """Claim 900 million pixels in the header; the file stays small."""
    film.Rows = film.Columns = CLAIMED_SIDE


def without_window(film: FileDataset) -> None:
    """Remove the window, although the pixels use only a part of the stored range."""
    del film.WindowCenter, film.WindowWidth


def without_photometric(film: FileDataset) -> None:
    """Remove the tag that states whether low values are bright."""
    del film.PhotometricInterpretation


def of_another_machine(film: FileDataset) -> None:
    """Set a modality other than chest radiography."""
    film.Modality = "MG"


def for_processing(film: FileDataset) -> None:
    """Mark the image as the detector's raw picture, which is not meant for reading."""
    film.PresentationIntentType = "FOR PROCESSING"


def of_a_child(film: FileDataset) -> None:
    """Set the patient's age to nine years."""
    film.PatientAge = "009Y"


def of_the_other_shape(film: FileDataset) -> None:
    """Set the PresentationLUTShape that the standard excludes for this PhotometricInterpretation."""
    film.PresentationLUTShape = "IDENTITY" if film.PhotometricInterpretation == "MONOCHROME1" else "INVERSE"


def with_comma(film: FileDataset) -> None:
    """Write the width of the window with a decimal comma."""
    film.add_new("WindowWidth", "LO", str(film.get("WindowWidth", 3000)).replace(".", "") + ",5")


def oblong(film: FileDataset) -> None:
    """Declare pixels that are one and a half times as high as wide."""
    film.PixelSpacing = ["0.3", "0.2"]


def declared_lateral(site: FaultySite, row: Row) -> None:
    """Replace the picture by a lateral view, and declare it in manifest and header."""
    film = site.film(row)
    pixels = film.pixel_array
    film.ViewPosition = row["view"] = "LL"
    put_pixels(film, from_the_side(pixels, 2**film.BitsStored - 1).astype(pixels.dtype))
    dcmwrite(site.image(row), film, enforce_file_format=True)


TAG_FAULTS: Mapping[str, Fault] = {
    "huge-image": retagged(claimed_huge),
    "missing-window": retagged(without_window, needs="WindowCenter"),
    "missing-photometric": retagged(without_photometric),
    "other-modality": retagged(of_another_machine),
    "for-processing": retagged(for_processing),
    "child": retagged(of_a_child),
    "polarity-contradiction": retagged(of_the_other_shape),
    "decimal-comma": retagged(with_comma),
    "oblong-pixels": retagged(oblong),
    "declared-lateral": planted_once(declared_lateral),
}
