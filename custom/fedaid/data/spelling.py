"""The spellings of one identifier: spreadsheets and programs change zeros, endings, case, blanks and dashes."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

_POINT_ZERO = re.compile(r"^(\d+)[.,]0+$")
_MARKS = re.compile(r"[\W_]")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[^\w\s]+(?=\d)")
_FIRST_ZEROS = re.compile(r"^([^\W\d]*)0+(?=\d)")


def plain(identifier: str) -> str:
    """Return an identifier for comparison: NFKC, lower case, without white space and zero bytes."""
    return "".join(unicodedata.normalize("NFKC", identifier).replace("\0", "").casefold().split())


def without_point_zero(identifier: str) -> str:
    """Return a plain identifier without the ending of a number that was stored as a fraction: "12.0" is "12"."""
    return _POINT_ZERO.sub(r"\1", plain(identifier))


def without_zeros(identifier: str) -> str:
    """Return a plain identifier without leading zeros: "0012" is "12"; of "000" one zero stays."""
    text = plain(identifier)
    return text.lstrip("0") or text[:1]


def bare(identifier: str) -> str:
    """Return an identifier's letters and digits, without leading zeros and the ending ".0"."""
    return without_zeros(_MARKS.sub("", without_point_zero(identifier)))


def likely_same(identifier: str) -> str:
    """Return a form that the likely spellings of one identifier share.

    "12345", "12345.0" and "0012345" share it, and so do "pat-7", "PAT 7" and "Pat_07". A mark between two digits
    counts, so that "1-12" and "11-2" differ.
    """
    text = _BETWEEN_DIGITS.sub("\1", without_point_zero(identifier))
    letters = "".join(letter for letter in text if letter.isalnum() or letter == "\1")
    return _FIRST_ZEROS.sub(r"\1", letters) or text


def same_patients(identifiers: Iterable[str]) -> dict[str, str]:
    """Return identifier → the first of its likely spellings, in the order of text; itself if it has one spelling.

    Args:
        identifiers: of patients. Empty ones are left out.
    """
    groups: defaultdict[str, set[str]] = defaultdict(set)
    for identifier in identifiers:
        if identifier:
            groups[likely_same(identifier)].add(identifier)
    return {spelling: min(group) for group in groups.values() for spelling in group}


def spelt_twice(identifiers: Iterable[str]) -> frozenset[str]:
    """Return the identifiers that have another likely spelling. Case and white space at the ends count too."""
    first = same_patients(identifiers)
    shared = {name for spelling, name in first.items() if spelling != name}
    return frozenset(spelling for spelling, name in first.items() if name in shared)
