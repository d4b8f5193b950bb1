"""Checks of the DICOM headers."""

from __future__ import annotations

from collections.abc import Callable

from admin.site.doctor.doctor_check import ERROR, NOTE, WARNING, Check, Found, Test, above, found, where
from admin.site.doctor.evidence import Case, Evidence
from fedaid.data.header.facts import Header
from fedaid.data.header.views import FRONTAL_VIEWS, LATERAL_VIEWS

CHEST_PARTS = frozenset(
    ("CHEST", "THORAX", "CHEST PORT", "PORT CHEST", "LUNG", "LUNGS", "HEART", "MEDIASTINUM", "RIB", "RIBS", "STERNUM",
     "CHEST_TO_ABDOMEN", "CHESTABDOMEN")
)  # fmt: skip
RADIOGRAPHY = frozenset(("CR", "DX", "DR", "RG", "RF", "SC", "OT"))
CHILD = 16
USUAL = 0.5


def header_says(test: Callable[[Header], bool]) -> Test:
    """Return a test of a study by its header; it is false for a study without one."""
    return lambda case: case.header is not None and test(case.header)


def without_window(evidence: Evidence) -> Found:
    """Return the images without a window; fires at a site where most have one."""
    headed = [case for case in evidence.cases if case.header is not None]
    bare = [case for case in headed if case.header and not case.header.windowed]
    stated = len(headed) - len(bare)
    return Found(cases=tuple(bare), of=len(headed), fired=bool(bare) and stated > USUAL * len(headed))


def mixed_polarity(evidence: Evidence) -> Found:
    """Return the images stored with low values bright; fires at a site that has both kinds."""
    polar = [
        case for case in evidence.cases if case.header and case.header.photometric in ("MONOCHROME1", "MONOCHROME2")
    ]
    low_bright = tuple(case for case in polar if case.header and case.header.photometric == "MONOCHROME1")
    return Found(cases=low_bright, of=len(polar), fired=0 < len(low_bright) < len(polar))


def _polarity(case: Case) -> str | None:
    return case.header.photometric if case.header else None


def contradicts_view(case: Case) -> bool:
    """Whether manifest and header name different views, one frontal and one lateral."""
    said, tagged = case.cells.get("view", "").upper(), case.header.view_position if case.header else None
    pair = {said, tagged or ""}
    return bool(pair & LATERAL_VIEWS) and bool(pair & FRONTAL_VIEWS)


def declared_lateral(evidence: Evidence) -> Found:
    """Return the studies that are declared as lateral views."""
    return found((case for case in evidence.cases if not case.frontal), evidence)


declares_letters = header_says(lambda header: header.burned_in is True)


def has_header(case: Case) -> bool:
    """Whether the study has a DICOM header; PNG and JPEG have none."""
    return case.header is not None


HEADER_CHECKS = (
    Check(
        "body-part",
        "Images of another body part",
        "BodyPartExamined is not the chest.",
        "Leave the study out, or correct the tag at the source.",
        WARNING,
        where(header_says(lambda header: header.body_part is not None and header.body_part not in CHEST_PARTS)),
        needs=has_header,
    ),
    Check(
        "modality",
        "Images that are not radiographs",
        "Modality is not a kind of radiography. The model is not meant for CT, MR or mammography.",
        "Leave the study out.",
        WARNING,
        where(header_says(lambda header: header.modality is not None and header.modality not in RADIOGRAPHY)),
        needs=has_header,
    ),
    Check(
        "declared-burned-in",
        "Images with a declared name in the pixels",
        "BurnedInAnnotation is YES, so the picture itself may identify the patient. The study is left out.",
        "Look at each picture. Mask the text and export the image again.",
        ERROR,
        where(lambda case: case.image_fault == "image-burned-in" or declares_letters(case)),
        needs=has_header,
    ),
    Check(
        "missing-window",
        "Images without a window",
        "Most images of the site have a window. "
        "Images without one are scaled by their pixel values and may look different.",
        "Export them with WindowCenter and WindowWidth.",
        NOTE,
        without_window,
        needs=has_header,
    ),
    Check(
        "photometric-mix",
        "Both polarities at one site",
        "Some images are stored with low values bright. They are inverted when they are read. "
        "A wrong tag is visible only in the picture.",
        "Nothing, if the check 'Pictures with inverted grey values' finds none.",
        NOTE,
        mixed_polarity,
        needs=has_header,
    ),
    Check(
        "for-processing",
        "Raw detector images",
        "PresentationIntentType is FOR PROCESSING: the picture is not meant for viewing.",
        "Export the images FOR PRESENTATION.",
        WARNING,
        where(header_says(lambda header: header.intent == "FOR PROCESSING")),
        needs=has_header,
    ),
    Check(
        "lossy-images",
        "Many images with lossy compression",
        "More than half. This is harmless at the model's image size, but a model can recognise the site by it.",
        "Nothing, or export with lossless compression.",
        NOTE,
        above(header_says(lambda header: header.lossy is True), USUAL),
        needs=has_header,
    ),
    Check(
        "lateral-views",
        "Lateral views",
        "A lateral view shows little of what a report on a frontal view describes.",
        "Decide with the study's lead whether lateral views take part. prepare prefers PA and AP.",
        NOTE,
        declared_lateral,
    ),
    Check(
        "view-contradiction",
        "Manifest and header name different views",
        "One says frontal, the other lateral.",
        "Look at the picture, and correct the manifest or the header.",
        WARNING,
        where(contradicts_view),
        needs=has_header,
    ),
    Check(
        "children",
        "Studies of children",
        f"Patients under {CHILD} look different, and the model is meant for adults.",
        "Decide with the study's lead whether they take part.",
        NOTE,
        where(header_says(lambda header: header.age is not None and header.age < CHILD)),
        needs=has_header,
    ),
)
