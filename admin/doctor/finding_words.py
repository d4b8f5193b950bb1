"""Which of the usual labels a report in English asserts: words of radiology, and what denies them.

A screen, not a labeller: it exists to notice a report that belongs to another study.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

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
