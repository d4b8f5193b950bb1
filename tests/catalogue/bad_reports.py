"""Reports that are missing, empty, not text, too many, or tell of a person."""

from __future__ import annotations

import base64

from tests.catalogue.item import Item, report
from tests.catalogue.place import REPORT, Place

ACCENTED = "FINDINGS: Région hilaire dégagée. IMPRESSION: Naïve bronchiolitis is not excluded, 37 °C.\n"
HEADINGS = "HISTORY:\nCOMPARISON:\nFINDINGS:\nIMPRESSION:\n"
IDENTIFIED = (
    "FINDINGS: Clear lungs. Read by Dr. Quillfeather on 03/05/2021, MRN 00482911, tel. (555) 014-2231.\n"
    "IMPRESSION: Normal.\n"
)
HTML = "<!DOCTYPE html>\n<html><body><p>FINDINGS: Clear.</p><p>IMPRESSION: Normal.</p></body></html>\n"
RTF = r"{\rtf1\ansi{\fonttbl\f0 Arial;}\f0 FINDINGS: Clear.\par IMPRESSION: Normal.\par}"
PDF = "%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"
BIG = 50_000_000


def no_report(place: Place) -> None:
    """An image whose report is not in the export."""
    place.save(place.film())


def report_of_another(place: Place) -> None:
    """A report under this study's number that was written of another study: nothing in the files says so."""
    place.save(place.film())
    place.report("FINDINGS: Large left pleural effusion.\nIMPRESSION: Of another study.\n")


def two_reports(place: Place) -> None:
    """Two reports under one accession number."""
    place.save(place.film())
    place.report()
    place.report_file.with_suffix(".rpt").write_text(REPORT.replace("clear", "hazy"), encoding="utf-8")


BAD_REPORTS: tuple[Item, ...] = (
    Item("report-missing", no_report, ("pair-no-report",)),
    report("report-empty", b"", "report-empty"),
    report("report-headings-only", HEADINGS, "report-empty"),
    report("report-latin-1", ACCENTED.encode("latin-1"), "report-unreadable"),
    report("report-utf-16", ACCENTED.encode("utf-16"), "report-unreadable"),
    report("report-nul-bytes", REPORT.replace(" ", " \0"), "report-unreadable"),
    report("report-50-mb", b"The lungs are clear. " * (BIG // 21), "report-too-large"),
    report("report-html", HTML, "report-not-text"),
    report("report-rtf", RTF, "report-not-text"),
    report("report-pdf", PDF, "report-not-text"),
    report("report-base64", base64.encodebytes(REPORT.encode()), "report-not-text"),
    Item("report-of-another-study", report_of_another, (), "not visible in the files: a screen of the doctor's"),
    Item("two-reports-of-one-accession", two_reports, ("pair-ambiguous",) * 3, "the study and both reports"),
    report("report-with-identifiers", IDENTIFIED, note="scrubbed, and what was replaced is counted"),
)
"""In the order of the catalogue."""
