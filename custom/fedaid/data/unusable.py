"""Why a study cannot be used: a fixed set of codes with their remedies, and the exception that carries a code."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        "image-missing": "Give an existing file in column 'image', relative to the data root.",
        "image-outside-root": "Place the image below the data root and give its path relative to it.",
        "image-windows-path": "Give the path relative to the data root: it has a drive or server of Windows.",
        "image-other-case": "Write the image's path as the file is named: upper and lower case differ.",
        "image-unreadable": "Export the image again: the file is broken, cut short or not permitted to be read.",
        "image-crash": "Export the image again, uncompressed: reading it ended the process that decodes.",
        "image-timeout": "Export the image again, uncompressed: reading it took longer than a file may.",
        "image-unsupported": "Give a DICOM, PNG or JPEG image.",
        "image-codec-htj2k": "Export the image uncompressed: no decoder for High-Throughput JPEG 2000 (HTJ2K).",
        "image-codec-jpeg-xl": "Export the image uncompressed: no decoder for JPEG XL.",
        "image-codec-video": "Export the image uncompressed: no decoder for MPEG or HEVC video.",
        "image-codec-other": "Export the image uncompressed: its transfer syntax is private, retired or too new.",
        "image-size-tags": "Correct Rows and Columns at the source: they are not whole numbers above 0.",
        "image-too-large": "Export the image with fewer pixels: it exceeds the limit on pixels or bytes.",
        "image-multiframe": "Give one frame a study: this file holds several.",
        "image-colour": "Give a greyscale radiograph: this image has colour, or channels that differ.",
        "image-photometric": "Set PhotometricInterpretation to MONOCHROME1 or MONOCHROME2: the polarity is unknown.",
        "image-burned-in": "Export the image without names in its pixels: it declares BurnedInAnnotation YES.",
        "image-constant": "Give an image with content: all its pixels have practically the same value.",
        "image-not-finite": "Export the image again: its values, or those of its rescale tags, are not finite numbers.",
        "report-missing": "Give an existing text file in column 'report_path', relative to the data root.",
        "report-outside-root": "Place the report below the data root and give its path relative to it.",
        "report-windows-path": "Give the path relative to the data root: it has a drive or server of Windows.",
        "report-other-case": "Write the report's path as the file is named: upper and lower case differ.",
        "report-unreadable": "Save the report as UTF-8 text without zero bytes, and permit it to be read.",
        "report-too-large": "Give the report of one study: this file has more than a mebibyte.",
        "report-not-text": "Export the report as plain text: this is HTML, XML, RTF, PDF, a Word file, JSON or base64.",
        "report-message": "Give prepare one result (ORU) with its text in OBX segments of type TX, FT or ST.",
        "report-several": "Give each row of the table one report: this cell holds several messages.",
        "report-withdrawn": "Give the valid report: this one is marked as cancelled, deleted or entered in error.",
        "report-empty": "Give a report with findings, an impression or free text that describes the image.",
    }
)
"""Code → remedy: every code that :attr:`UnusableStudy.reason` can have, with one sentence on what to do."""


class UnusableStudy(Exception):
    """One study cannot be used; the rest of the manifest can.

    The reader of a manifest skips such a study and counts it by reason, so that one file does not stop a site. The
    message has the code and the remedy only, so it may be logged. Worker processes of a data loader can raise it.

    Args:
        reason: a key of :data:`REMEDIES`.

    Raises:
        KeyError: if the code is not in the set.
    """

    def __init__(self, reason: str) -> None:
        self.remedy: str = REMEDIES[reason]
        self.reason: str = reason
        super().__init__(reason)

    def __str__(self) -> str:
        return f"{self.reason}: {self.remedy}"
