"""Checks of identifiers in reports and file names, and of file names that break other programs."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import PurePosixPath

from admin.site.doctor.doctor_check import NOTE, WARNING, Check, Found, where
from admin.site.doctor.evidence import Case, Evidence
from admin.site.doctor.phrases.suspicious_phrases import suspicion
from fedaid.data.report.scrub import scrub

LEAST_IDENTIFIER = 5
LONGEST_NAME = 200
DATE = re.compile(r"(?<!\d)(?:19|20)\d\d[-_.]?(?:0[1-9]|1[0-2])[-_.]?(?:0[1-9]|[12]\d|3[01])(?!\d)")
PERSON = re.compile(r"[^\W\d_]{2,}\^[^\W\d_]{2,}")
ODD = re.compile(r"[\x00-\x1f\x7f\ufffd]")


def identified_reports(evidence: Evidence) -> Found:
    """Return the reports with identifiers, the number of each class, and the phrases that a person should judge.

    Two methods look: the scrubber, and a search for phrases that no vocabulary knows, because in a prepared site the
    scrubber has already replaced what it can find.
    """
    told = {case.line: scrub(case.report) for case in evidence.cases if case.report}
    counts: Counter[str] = Counter()
    for one in told.values():
        counts.update(one.counts)
    suspicious = suspicion({line: one.text for line, one in told.items()})
    firing = suspicious.firing()
    counts.update(f"suspicious {phrase.kind}" for phrases in firing.values() for phrase in phrases)
    cases = tuple(
        case for case in evidence.cases if case.line in firing or (case.line in told and told[case.line].counts)
    )
    phrases = tuple(suspicious.most()) if firing else ()
    detail = dict(sorted(counts.items()))
    return Found(cases=cases, detail=detail, of=len(evidence.cases), fired=bool(cases), phrases=phrases)


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
        "They hold dates, names, numbers or addresses that the scrubber recognises, or words that no vocabulary knows "
        "and that may be names. Neither method finds all.",
        "Run prepare, which replaces what the scrubber recognises. Then judge the phrases on the private page, "
        "confirm identifiers with --confirm, run prepare again, and read a sample of the reports.",
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
