"""The kind of a DICOM object that is no radiograph: by its SOP class, else by its modality.

CT, MR, segmentations, doses, reports and presentation states lie beside films in an export. They are no bad films and
never become studies. Radiofluoroscopy and secondary captures may be films of a chest, so they pass.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import UID

from fedaid.data.header.element_values import words
from fedaid.data.header.file_kind import INDEX

OTHER = "other object"
NO_RADIOGRAPHS = frozenset(
    (
        *(
            "CT",
            "MR",
            "US",
            "NM",
            "PT",
            "PET",
            "MG",
            "XA",
            "PX",
            "IO",
            "BMD",
            "DXA",
            "DEXA",
            "CBCT",
            "BDUS",
            "BI",
            "DG",
        ),
        *("DG", "ES", "GM", "SM", "LS", "MS", "TG", "XC", "IVUS", "OCT", "IVOCT", "OP", "OPT", "OPTBSV", "OPTENF"),
        *("OPV", "OPM", "OAM", "AR", "KER", "LEN", "SRF", "VA", "IOL", "CFM", "DMS", "ECG", "EPS", "HD", "EEG", "EMG"),
        *(
            "RESP",
            "RESPIRATORY",
            "POS",
            "AU",
            "SR",
            "KO",
            "PR",
            "SEG",
            "REG",
            "DOC",
            "FID",
            "RWV",
            "RAW",
            "PMAP",
            "M3D",
        ),
        *("PMAP", "M3D", "MRS", "SMR", "STAIN", "PLAN", "ANN", "ASMT", "TEXTUREMAP", "CTPROTOCOL", "XAPROTOCOL"),
        *("RTIMAGE", "RTDOSE", "RTSTRUCT", "RTPLAN", "RTRECORD", "RTINTENT", "RTRAD", "RTSEGANN"),
    )
)
"""Terms of Modality (PS3.3, C.7.3.1.1.1) that are not radiography of the chest, and others found in archives."""

KINDS = NO_RADIOGRAPHS | {OTHER}
"""The kinds of objects that are no radiographs, as they are counted."""

_SPELLINGS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("CAT", "TAC", "TC", "TDM", "TK"), "CT"),
        **dict.fromkeys(("MRI", "MRT", "IRM", "RMN", "RM"), "MR"),
        **dict.fromkeys(("ULTRASOUND", "SONO", "SONOGRAPHY", "ECHO", "ECO"), "US"),
        **dict.fromkeys(("MAMMO", "MAMMOGRAPHY", "MAMMOGRAPHIE", "MAMOGRAFIA"), "MG"),
        **dict.fromkeys(("ANGIO", "ANGIOGRAPHY", "DSA"), "XA"),
        **{"SPECT": "NM", "NUC": "NM", "PETCT": "PT", "EKG": "ECG", "ENDOSCOPY": "ES", "RTSS": "RTSTRUCT"},
    }
)
"""What is written in place of a term of Modality → the term."""

EXAMINATIONS = frozenset(
    (
        *("CT", "MR", "US", "NM", "PT", "PET", "MG", "XA", "PX", "IO", "BMD", "DXA", "DEXA", "CBCT", "BDUS", "BI"),
        *("DG", "ES", "GM", "SM", "TG", "XC", "IVUS", "OCT", "IVOCT", "OP", "OPT", "OPV", "OPM", "MRS", "ECG", "EEG"),
    )
)
"""The kinds with a report of their own. The other kinds accompany images."""

_DIRECTORY = "1.2.840.10008.1.3.10"
_STORAGE = "1.2.840.10008.5.1.4.1.1."
_RADIOGRAPHY = ("1", "1.1", "1.1.1", "7", "7.1", "7.2", "7.3", "7.4", "12.2", "12.2.1")
_CLASSES: Mapping[str, str] = MappingProxyType(
    {
        **{"1.2": "MG", "1.3": "IO", "2": "CT", "3": "US", "4": "MR", "4.2": "MRS", "5": "NM", "6": "US"},
        **{"8": "PR", "9": "ECG", "9.4": "AU", "9.6": "RESP", "9.7": "EEG", "9.8": "POS", "10": "PR", "11": "PR"},
        **{"12": "XA", "13": "XA", "13.1.3": "MG", "13.1.4": "MG", "13.1.5": "MG", "14": "IVOCT", "20": "NM"},
        **{"30": "PMAP", "66": "RAW", "66.1": "REG", "66.2": "FID", "66.3": "REG", "66.4": "SEG", "66.5": "SEG"},
        **{"67": "RWV", "68": "M3D", "77": "XC", "77.1.1": "ES", "77.1.2": "GM", "77.1.3": "SM", "77.1.6": "SM"},
        **{"77.1.5": "OP", "78": "OPM", "79": "OPM", "80": "OPV", "81": "OPM", "82": "OPM", "88": "SR", "88.59": "KO"},
        **{"90": "ASMT", "91": "ANN", "104": "DOC", "104.3": "M3D", "104.4": "M3D", "104.5": "M3D"},
        **{"128": "PT", "129": "PT", "130": "PT", "131": "PR", "481": "RTRECORD", "481.1": "RTIMAGE"},
        **{"481.2": "RTDOSE", "481.3": "RTSTRUCT", "481.5": "RTPLAN", "481.8": "RTPLAN", "481.10": "RTINTENT"},
        **{"481.23": "RTIMAGE", "481.24": "RTIMAGE"},
    }
)
"""Beginning of the last part of a storage SOP class → modality of its objects."""


def object_kind(header: Dataset) -> str:
    """Return the kind of an object that is no radiograph, "DICOMDIR" or one of :data:`KINDS`; empty if it may be one.

    An object of a known class for images without a size is not classified: its header is cut short.

    Args:
        header: with SOPClassUID, Modality and Rows as far as the object has them.
    """
    named = _sop_class(header)
    if named == _DIRECTORY:
        return INDEX
    modality = _modality(header)
    by_class = _kind_of_class(named)
    if by_class:
        return modality if modality in NO_RADIOGRAPHS else by_class
    if modality in NO_RADIOGRAPHS:
        return modality
    return OTHER if named and not words(header, "Rows") and "Image Storage" not in UID(named).name else ""


def _modality(header: Dataset) -> str:
    """The first word of Modality, as a term of the standard; "CT SCAN" is CT."""
    stated = re.findall(r"\w+", next(iter(words(header, "Modality")), ""))
    return _SPELLINGS.get(stated[0], stated[0]) if stated else ""


def _sop_class(header: Dataset) -> str:
    """The SOP class, of a file that ends early that of its meta information."""
    meta = header.file_meta if isinstance(header, FileDataset) else Dataset()
    return next(iter((*words(header, "SOPClassUID"), *words(meta, "MediaStorageSOPClassUID"), "")))


def _kind_of_class(named: str) -> str:
    """The modality of a storage class that is no radiography, "other object" for one without, else empty."""
    own = named.removeprefix(_STORAGE)
    if own == named or own in _RADIOGRAPHY:
        return ""
    parts = own.split(".")
    beginnings = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((_CLASSES[one] for one in beginnings if one in _CLASSES), OTHER)
