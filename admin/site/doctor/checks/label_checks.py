"""Checks of the labels: against the report, and among the splits."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from admin.site.doctor.doctor_check import NOTE, WARNING, Check, Found, found, where
from admin.site.doctor.evidence import Case, Evidence

ALMOST_ALL = 0.95
LEAST_STUDIES = 20


def contradicts_labels(case: Case) -> bool:
    """Whether a report asserts no label of the study, or a finding although the label is normal."""
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
        "Reports that contradict their labels",
        "The report asserts none of the study's labels, or a finding although the label is 'No Finding'. "
        "It may belong to another study. Only English words are known; unknown wording causes false alarms.",
        "Compare report and picture. If there are many, check how reports were matched to images.",
        WARNING,
        where(contradicts_labels),
        screen=True,
    ),
    Check(
        "label-in-one-split",
        "Labels in one split only",
        f"A label of at least {LEAST_STUDIES} studies that is absent from the other splits cannot be validated or "
        "tested.",
        "Leave column 'split' empty, so that the patients' hash decides.",
        NOTE,
        one_sided,
    ),
    Check(
        "label-dominant",
        "A label that almost all studies have",
        f"More than {ALMOST_ALL:.0%} have it. A model cannot learn it and may use it to recognise the site.",
        "Inform the study's lead.",
        NOTE,
        dominant,
    ),
)


WORDS: Mapping[str, str] = {
    "Enlarged Cardiomediastinum": r"(?:wid\w+|broad\w*|enlarged)[\w ]{0,20}mediast\w*"
    r"|mediast\w*[\w ]{0,25}(?:wid\w+|broad\w*|enlarged)",
    "Cardiomegaly": r"cardiomeg\w*|(?:cardiac|heart|cor)[\w ]{0,25}(?:enlarge\w*|widened|dilat\w*)"
    r"|(?:enlarge\w*|dilat\w*)[\w ]{0,20}(?:heart|cardiac)"
    r"|ctr incr\w*",
    "Lung Lesion": r"nodul\w*|nod|spn|mass|masses|metasta\w*|lesion"
    r"|(?:round|circumscribed) (?:focus|density)",
    "Lung Opacity": r"opaci\w*|opac|consol\w*|infiltr\w*|shadowing|airspace disease|ground.glass|pneumonic",
    "Edema": r"o?edema\w*|congesti\w*|ccf|lvf|overload|stasis",
    "Consolidation": r"consol\w*|infiltr\w*|airspace \w+|dense shadowing|opac\w*|pneumoni\w+",
    "Pneumonia": r"pneumoni\w*|infiltr\w*|consol\w*",
    "Atelectasis": r"(?:dyst|at)electa\w*|atel|collapse|band shadows?|vol(?:ume)? loss|loss of volume",
    "Pneumothorax": r"pneumoth\w*|ptx|pleural air|free air|collapsed lung",
    "Pleural Effusion": r"effusion\w*|eff|hydrot\w+|pleural fluid|(?:collection|accumulation) of fluid|fluid",
    "Fracture": r"fractur\w*|fx|rib #|broken rib|discontinuity of a rib",
    "Support Devices": r"tubes?|catheter\w*|lines?|pacemaker\w*|pacer|pacing|ppm|icd|pm in situ|ett|cvc|cvl|intubat\w*"
    r"|pulse generator|endotracheal|venous access|jugular",
}
"""Label → words for it; a phrase of the twin's hospitals that radiologists use, too, is among them."""
_PATTERNS = {label: re.compile(rf"(?<![\w])(?:{words})(?![\w])", re.IGNORECASE) for label, words in WORDS.items()}
_DENIED = re.compile(
    r"\b(?:no|not|without|free of|negative for|absence of|nor|resolved|clear of|ruled out|denies|rather than)\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[^.;\n]*?(?:[.;\n]|\bbut\b|\bhowever\b|$)", re.IGNORECASE)


def asserted(text: str) -> frozenset[str]:
    """Return the labels that a text asserts: named in a clause, with nothing before them in it that denies them."""
    found = set()
    for clause in _CLAUSE.findall(text):
        denial = _DENIED.search(clause)
        affirmed = clause[: denial.start()] if denial else clause
        found |= {label for label, pattern in _PATTERNS.items() if pattern.search(affirmed)}
    return frozenset(found)
