"""Checks of the labels: against the report, and among the splits."""

from __future__ import annotations

from collections import defaultdict

from admin.doctor.check import NOTE, WARNING, Check, Found, found, where
from admin.doctor.evidence import Case, Evidence
from admin.doctor.finding_words import WORDS, asserted

ALMOST_ALL = 0.95
LEAST_STUDIES = 20


def contradicts_labels(case: Case) -> bool:
    """Whether a report asserts none of the study's labels, or one although the label says that there is nothing."""
    given = set(case.labels) & set(WORDS)
    if not case.text or not (given or case.normal):
        return False
    said = asserted(case.text)
    return bool(said) if case.normal else not given & said


def one_sided(evidence: Evidence) -> Found:
    """The studies whose label occurs in one split only although it is not rare."""
    splits: defaultdict[str, set[str]] = defaultdict(set)
    holders: defaultdict[str, list[Case]] = defaultdict(list)
    for case in evidence.cases:
        for label in case.labels:
            splits[label].add(case.split)
            holders[label].append(case)
    alone = {label for label, cases in holders.items() if len(splits[label]) == 1 and len(cases) >= LEAST_STUDIES}
    return found((case for case in evidence.cases if alone & set(case.labels)), evidence)


def dominant(evidence: Evidence) -> Found:
    """The studies with a label that almost all have."""
    holders: defaultdict[str, list[Case]] = defaultdict(list)
    for case in evidence.cases:
        for label in set(case.labels):
            holders[label].append(case)
    most = max(holders.values(), key=len, default=[])
    fired = len(evidence.cases) >= LEAST_STUDIES and len(most) > ALMOST_ALL * len(evidence.cases)
    return Found(cases=tuple(most) if fired else (), of=len(evidence.cases), fired=fired)


LABEL_CHECKS = (
    Check(
        "report-contradicts-labels",
        "Reports that do not fit their labels",
        "The report asserts none of the study's labels, or a finding although the label is 'No Finding': it may be "
        "another study's. English words only; a wording that is not known sets it off.",
        "Compare report and picture; if many are found, look at how reports were matched.",
        WARNING,
        where(contradicts_labels),
        screen=True,
    ),
    Check(
        "label-in-one-split",
        "Labels in one split only",
        f"A label of at least {LEAST_STUDIES} studies that is not in the other splits cannot be validated or tested.",
        "Split again by the patients' hash: leave column 'split' empty.",
        NOTE,
        one_sided,
    ),
    Check(
        "label-dominant",
        "A label that almost all studies have",
        f"More than {ALMOST_ALL:.0%}: nothing can be learned from it, and it may stand for the site.",
        "Tell the study's lead.",
        NOTE,
        dominant,
    ),
)
