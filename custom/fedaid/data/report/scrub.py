"""A report without the identifiers that patterns can find, and how many of each class there were.

It covers the pattern classes of HIPAA Safe Harbor (45 CFR 164.514(b)(2)(i)); it lowers a risk and proves nothing. A
name without a cue, or an identifier that is misspelled, stays. No named library does this part: dicognito and deid
treat DICOM headers, and presidio finds names by language models that would have to be installed, while its patterns
are not made for radiology, where "3/4", "C5/6" and "1.5.20 mm" are findings.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from fedaid.data.report.date_patterns import DATES
from fedaid.data.report.name_patterns import NAMES
from fedaid.data.report.number_patterns import ADDRESSES, CONTACTS, LONG_RUNS, NUMBERS

_ORDER = tuple(
    (kind, re.compile(pattern))
    for group in (CONTACTS, NUMBERS, DATES, ADDRESSES, NAMES, LONG_RUNS)
    for kind, patterns in group.items()
    for pattern in patterns
)
RULES = hashlib.sha256("\n".join(f"{kind} {pattern.pattern}" for kind, pattern in _ORDER).encode()).hexdigest()
"""Changes with the patterns, so that what was scrubbed by earlier ones can be told."""
CLASSES = tuple(dict.fromkeys(kind for kind, _ in _ORDER))
"""The classes of identifiers; each is replaced by its name in square brackets."""


@dataclass(frozen=True)
class Scrubbed:
    """A report with identifiers replaced by tags such as "[DATE]", and how many were replaced, by class."""

    text: str = field(repr=False)
    counts: Mapping[str, int]


def scrub(text: str) -> Scrubbed:
    """Return a report with its identifiers replaced; what they were is neither kept nor logged.

    Measurements, levels of the spine, grades, fractions, view numbers and eponyms stay. Scrubbing twice changes
    nothing more: the patterns are applied until none matches, and each replacement leaves less to match.

    Args:
        text: a report, with its line breaks.
    """
    counts: Counter[str] = Counter()
    while (replaced := _pass(text, counts)) != text:
        text = replaced
    return Scrubbed(text=text, counts=dict(sorted(counts.items())))


def _pass(text: str, counts: Counter[str]) -> str:
    """The text after each pattern was applied once."""
    for kind, pattern in _ORDER:
        text, found = pattern.subn(lambda match, tag=f"[{kind}]": _tagged(match, tag), text)  # type: ignore[misc]
        if found:
            counts[kind] += found
    return text


def _tagged(match: re.Match[str], tag: str) -> str:
    """What a match becomes: the tag in place of its group `x`, or of all of it."""
    group = "x" if "x" in match.re.groupindex else 0
    before, after = match.start(group) - match.start(), match.end(group) - match.start()
    return match[0][:before] + tag + match[0][after:]
