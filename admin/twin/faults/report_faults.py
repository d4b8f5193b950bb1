"""Faults of a report: missing, of another study, without content, or not readable."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from admin.twin.faults.faulty_site import Fault, FaultySite, Row, planted_once

BOILERPLATE = "This examination was reported electronically. Images are in the archive. Report to follow.\n"
HEADERS_ONLY = "HISTORY:\nCOMPARISON:\nFINDINGS:\nIMPRESSION:\n"
FOREIGN = (
    "BEFUND: Herz normal groß. Kein Pleuraerguss, kein Pneumothorax. Keine umschriebenen Infiltrate.\n"
    "BEURTEILUNG: Unauffälliger Befund des Thorax ohne Nachweis einer akuten Erkrankung.\n"
)
ACCENTED = "FINDINGS: Cœur normal, région hilaire dégagée. IMPRESSION: Naïve bronchiolitis is not excluded, 37 °C.\n"
GARBLED = ACCENTED.encode().decode("cp1252", errors="replace")
SHORT = "FINDINGS: Normal.\n"
LONG = "FINDINGS: " + "The patient was called three times and the film was repeated at the bed side. " * 40 + "\n"
OVERSIZED = "FINDINGS: The lungs are clear.\n" * 40_000
MARKUP = "FINDINGS: The heart is large.<br>There is no effusion.<br>\nIMPRESSION: <b>Cardiomegaly.</b><br>\n"
DOCUMENT = "{\\rtf1\\ansi FINDINGS: The lungs are clear. IMPRESSION: Normal chest.}\n"
LATIN = ACCENTED.replace("œ", "oe")


def missing_report(site: FaultySite, row: Row) -> None:
    """Delete the report file."""
    site.report(row).unlink()


def stray_report(site: FaultySite) -> tuple[str, ...]:
    """Add a report file that no row names."""
    name = f"TWIN-S9{site.rng.integers(1000):04d}"
    (site.folder / "reports" / f"{name}.txt").write_text("FINDINGS: Small left effusion.\n", encoding="utf-8")
    return (name,)


def duplicate_report(site: FaultySite) -> tuple[str, ...]:
    """Copy a report with findings, word for word, to another patient."""
    row = site.take(lambda other: other["labels"] != "No Finding")
    copy = site.take(lambda other: other["patient_id"] != row["patient_id"])
    site.report(copy).write_bytes(site.report(row).read_bytes())
    return (copy["study_id"],)


def reports_of_each_other(site: FaultySite) -> tuple[str, ...]:
    """Swap the reports of two studies without a common label."""
    one = site.take()
    labels = set(one["labels"].split("|"))
    other = site.take(lambda row: not labels & set(row["labels"].split("|")) and site.text(row) != site.text(one))
    texts = site.report(one).read_bytes(), site.report(other).read_bytes()
    site.report(other).write_bytes(texts[0])
    site.report(one).write_bytes(texts[1])
    return one["study_id"], other["study_id"]


def truncated_report(site: FaultySite) -> tuple[str, ...]:
    """Truncate a report within a word."""
    row = site.take(lambda other: len(site.text(other)) > 30)
    text = site.text(row).rstrip()
    cut = next(end for end in range(len(text) * 4 // 5, 0, -1) if text[end - 1].isalpha() and text[end].isalpha())
    site.report(row).write_text(text[:cut], encoding="utf-8")
    return (row["study_id"],)


def nul_bytes(site: FaultySite, row: Row) -> None:
    """Put NUL bytes between the words of a report."""
    site.report(row).write_bytes(site.report(row).read_bytes().replace(b" ", b" \0"))


def replaced(content: bytes) -> Callable[[FaultySite, Row], None]:
    """Return a fault that replaces a report by these bytes."""

    def plant(site: FaultySite, row: Row) -> None:
        site.report(row).write_bytes(content)

    return plant


REPORT_FAULTS: Mapping[str, Fault] = {
    "missing-report": planted_once(missing_report),
    "report-without-study": stray_report,
    "duplicate-report": duplicate_report,
    "report-of-another-study": reports_of_each_other,
    "empty-report": planted_once(replaced(b"")),
    "boilerplate-report": planted_once(replaced(BOILERPLATE.encode())),
    "header-only-report": planted_once(replaced(HEADERS_ONLY.encode())),
    "foreign-language-report": planted_once(replaced(FOREIGN.encode())),
    "truncated-report": truncated_report,
    "latin1-report": planted_once(replaced(LATIN.encode("latin-1"))),
    "utf16-report": planted_once(replaced(ACCENTED.encode("utf-16"))),
    "garbled-report": planted_once(replaced(GARBLED.encode())),
    "short-report": planted_once(replaced(SHORT.encode())),
    "long-report": planted_once(replaced(LONG.encode())),
    "oversized-report": planted_once(replaced(OVERSIZED.encode())),
    "markup-report": planted_once(replaced(MARKUP.encode())),
    "document-report": planted_once(replaced(DOCUMENT.encode())),
    "nul-bytes-report": planted_once(nul_bytes),
}
