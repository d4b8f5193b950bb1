"""Removes the identifiers that patterns can find from a report, and counts them by class.

The classes are those of HIPAA Safe Harbor (45 CFR 164.514(b)(2)(i)) that have a pattern. This lowers a risk and proves
nothing: a name without a cue or a misspelled identifier stays. No library fits. dicognito and deid are for DICOM
headers. presidio finds names by language models that would have to be installed, and its patterns are not made for
radiology, where "3/4", "C5/6" and "1.5.20 mm" are findings.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from fedaid.data.report.identifiers.address_patterns import ADDRESSES
from fedaid.data.report.identifiers.age_patterns import AGES
from fedaid.data.report.identifiers.contact_patterns import CONTACTS, GROUPED_PHONES, PHONES
from fedaid.data.report.identifiers.date_patterns import DATES
from fedaid.data.report.identifiers.institution_patterns import INSTITUTIONS
from fedaid.data.report.identifiers.number_patterns import LONG_RUNS, NUMBERS, SHAPES
from fedaid.data.report.identifiers.person_patterns import PEOPLE
from fedaid.data.report.identifiers.rule import Facts
from fedaid.data.report.identifiers.signed_patterns import SIGNED
from fedaid.data.report.identifiers.time_patterns import TIMES

_ORDER = (
    *(*CONTACTS, *NUMBERS, *PHONES, *DATES, *TIMES, *AGES, *GROUPED_PHONES, *ADDRESSES),
    *(*PEOPLE, *SIGNED, *INSTITUTIONS, *SHAPES, *LONG_RUNS),
)
RULES = hashlib.sha256("\n".join(f"{rule.kind} {rule.source}" for rule in _ORDER).encode()).hexdigest()
"""A hash of the patterns, to recognise reports that were scrubbed with earlier patterns."""
CLASSES = tuple(dict.fromkeys(rule.kind for rule in _ORDER))
"""The classes of identifiers. An identifier is replaced by the name of its class in square brackets."""


@dataclass(frozen=True)
class Scrubbed:
    """A report with tags such as "[DATE]" in place of identifiers, and class → number of replaced identifiers."""

    text: str = field(repr=False)
    counts: Mapping[str, int]


def scrub(text: str) -> Scrubbed:
    """Return a report with its identifiers replaced; the identifiers are neither stored nor logged.

    Measurements, levels of the spine, grades, fractions, view numbers and eponyms stay. The patterns are applied until
    none matches, so a second call changes nothing.

    Args:
        text: a report, with its line breaks.
    """
    counts: Counter[str] = Counter()
    while (replaced := _pass(text, counts)) != text:
        text = replaced
    return Scrubbed(text=text, counts=dict(sorted(counts.items())))


def _pass(text: str, counts: Counter[str]) -> str:
    """The text after one application of each rule."""
    facts = Facts(text)
    for rule in _ORDER:
        if not rule.may_match(facts):
            continue
        replaced, found = rule.pattern.subn(partial(_tagged, tag=f"[{rule.kind}]"), text)
        if found:
            counts[rule.kind] += found
            text, facts = replaced, Facts(replaced)
    return text


def _tagged(match: re.Match[str], *, tag: str) -> str:
    """The match with the tag in place of its group `x`, or of the whole match."""
    group = "x" if "x" in match.re.groupindex else 0
    before, after = match.start(group) - match.start(), match.end(group) - match.start()
    return match[0][:before] + tag + match[0][after:]
