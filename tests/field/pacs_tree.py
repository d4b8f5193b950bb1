"""A PACS tree of 110 studies with a PA and a lateral film each, whose view stands in different places of the header."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.field.export import chest, film, report, save, study_uid, write_reports

STUDIES = range(1, 111)
SPELLINGS = (
    ("Thorax p.a.", "Thorax seitlich"), ("CHEST PA", "CHEST LAT"), ("Thorax de face", "Thorax de profil"),
    ("RX TORAX FRENTE", "RX TORAX PERFIL"), ("Torace PA", "Torace LL"), ("X-thorax PA", "X-thorax dwars"),
    ("胸部正位", "胸部侧位"), ("胸部正面", "胸部側面"), ("ОГК прямая проекция", "ОГК боковая проекция"),
    ("Klatka piersiowa PA", "Klatka piersiowa boczne"), ("AKCIGER PA", "AKCIGER YAN"), ("ChestPA", "ChestLat"),
)  # fmt: skip
Place = Callable[[bool, int], dict[str, object]]


def coded(scheme: str, value: str, meaning: str) -> Sequence:
    """A sequence of one code."""
    item = Dataset()
    item.CodingSchemeDesignator, item.CodeValue, item.CodeMeaning = scheme, value, meaning
    return Sequence([item])


def described(keyword: str) -> Place:
    """The view stands in a description, in one of several languages."""
    return lambda lateral, number: {
        keyword: SPELLINGS[number % len(SPELLINGS)][lateral], "SpecificCharacterSet": "ISO_IR 192"
    }  # fmt: skip


def by_code(lateral: bool, number: int) -> dict[str, object]:
    """The view is a SNOMED code, in the old or the new scheme."""
    old = ("SRT", "R-10236", "left lateral") if lateral else ("SRT", "R-10214", "postero-anterior")
    new = ("SCT", "399173006", "left lateral") if lateral else ("SCT", "272479007", "postero-anterior")
    return {"ViewCodeSequence": coded(*(old, new)[number % 2])}


def by_meaning(lateral: bool, number: int) -> dict[str, object]:
    """The view is the meaning of a local code."""
    return {"ViewCodeSequence": coded("99LOCAL", "7", "Lateral" if lateral else "Postero-anterior")}


def by_orientation(lateral: bool, number: int) -> dict[str, object]:
    """The view follows from the orientation."""
    return {"PatientOrientation": ["A" if number % 2 else "P", "F"] if lateral else ["L", "F"]}


def by_picture(lateral: bool, number: int) -> dict[str, object]:
    """Nothing states the view; descriptions are those of the examination."""
    return {"SeriesDescription": "Thorax 2 Ebenen", "StudyDescription": "2 views PA and lateral"}


PLACES: tuple[Place, ...] = (
    by_code, by_meaning, by_orientation, by_picture, described("SeriesDescription"), described("ProtocolName"),
    described("AcquisitionDeviceProcessingDescription"), described("StudyDescription"),
    lambda lateral, number: {"BodyPartExamined": "CHEST LAT" if lateral else "CHEST PA"},
    lambda lateral, number: {"ViewPosition": "W Lateral" if lateral else "CHEST PA"},
    lambda lateral, number: {"ViewPosition": "LL"} if lateral else {},
)  # fmt: skip
"""Whether the film is lateral and the number of its study → tags. Each place is used by ten studies."""


def write_pacs_tree(folder: Path) -> None:
    """Write the tree and its reports. The lateral film comes first in every second study."""
    for number in STUDIES:
        place = PLACES[number % len(PLACES)]
        for lateral in (False, True):
            pixels = np.round(chest(number, lateral=lateral) * 4095).astype("<u2")
            tags = {"ViewPosition": "", "SOPInstanceUID": f"{study_uid(number)}.{int(lateral) + 1}"}
            first = lateral == bool(number % 2)
            header = film(number, pixels, **(tags | place(lateral, number)))
            save(header, folder / "images" / f"{number:03d}" / ("IM1" if first else "IM2"))
    write_reports(folder, [(number, report(number)) for number in STUDIES])
