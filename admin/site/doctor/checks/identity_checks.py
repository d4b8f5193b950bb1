"""Checks of identifiers in reports and file names, and of file names that break other programs."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import PurePosixPath

from admin.site.doctor.doctor_check import NOTE, WARNING, Check, Found, where
from admin.site.doctor.evidence import Case, Evidence
from fedaid.data.report.scrub import scrub

LEAST_IDENTIFIER = 5
LONGEST_NAME = 200
DATE = re.compile(r"(?<!\d)(?:19|20)\d\d[-_.]?(?:0[1-9]|1[0-2])[-_.]?(?:0[1-9]|[12]\d|3[01])(?!\d)")
PERSON = re.compile(r"[^\W\d_]{2,}\^[^\W\d_]{2,}")
ODD = re.compile(r"[\x00-\x1f\x7f\ufffd]")


def identified_reports(evidence: Evidence) -> Found:
    """Return the reports in which the scrubber finds identifiers, and the number of each class."""
    counts: Counter[str] = Counter()
    cases = []
    for case in evidence.cases:
        replaced = scrub(case.report).counts if case.report else {}
        counts.update(replaced)
        cases += [case] if replaced else []
    return Found(cases=tuple(cases), detail=dict(sorted(counts.items())), of=len(evidence.cases), fired=bool(cases))


def identified_name(case: Case) -> bool:
    """Whether the path of an image or a report holds a date, a name as DICOM writes it, or the patient's identifier."""
    names = [case.image, case.cells.get("report_path", "")]
    own = len(case.patient) >= LEAST_IDENTIFIER and case.patient != case.name
    return any(DATE.search(name) or PERSON.search(name) or (own and case.patient in name) for name in names)


def odd_name(case: Case) -> bool:
    """Whether the name of an image or a report has control characters, lost letters, or is very long."""
    names = [case.image, case.cells.get("report_path", "")]
    return any(ODD.search(name) or len(PurePosixPath(name).name) > LONGEST_NAME for name in names)


IDENTITY_CHECKS = (
    Check(
        "identifiers-in-report",
        "Reports with identifiers",
        "They hold dates, names, numbers or addresses that the scrubber recognises. It may miss others.",
        "Run prepare, which replaces them, and read a sample of the reports.",
        WARNING,
        identified_reports,
        screen=True,
    ),
    Check(
        "identifiers-in-file-name",
        "File names with identifiers",
        "A path holds a date, a name in the form A^B or the patient's identifier. Other names are not recognised.",
        "Rename the files, or run prepare, which uses pseudonyms.",
        WARNING,
        where(identified_name),
        screen=True,
    ),
    Check(
        "odd-file-name",
        "File names that break other programs",
        "They hold control characters, letters lost in conversion, or more than 200 characters.",
        "Rename the files.",
        NOTE,
        where(odd_name),
    ),
)
