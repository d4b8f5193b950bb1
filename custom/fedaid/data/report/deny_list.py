"""A site's own list of phrases to remove from reports: names that a person recognised. It never leaves the site."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from fedaid.errors import InputError, require

FILE_NAME = "deny_list.txt"
MOST_PHRASES, LONGEST, FEWEST_LETTERS = 20_000, 200, 2
_REMEDY = "Write one phrase a line, in UTF-8. A line that starts with # is a comment."


@dataclass(frozen=True)
class DenyList:
    """Phrases to find in any case, with or without accents. Without phrases it finds nothing."""

    phrases: tuple[str, ...] = field(default=(), repr=False)

    def removed(self, text: str) -> tuple[str, int]:
        """Return a text with "[NAME]" in place of each phrase, and how many there were."""
        return _pattern(self.phrases).subn("[NAME]", text) if self.phrases else (text, 0)


NOTHING = DenyList()


def site_deny_list(private: Path) -> DenyList:
    """Return the list in a site's private folder; without a file, an empty list."""
    return read_deny_list(private / FILE_NAME)


def read_deny_list(file: Path) -> DenyList:
    """Return the list of a file; without the file, an empty list.

    Raises:
        InputError: if it is not UTF-8 text, is too long, or a phrase is longer than 200 characters or has fewer than
            two letters or digits. The message names the line and never quotes it.
    """
    if not file.exists():
        return NOTHING
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        rule, got = "be readable text in UTF-8", type(error).__name__
        raise InputError(FILE_NAME, rule, got=got, where=FILE_NAME, remedy=_REMEDY) from None
    rule = f"have at most {MOST_PHRASES} lines"
    require(len(lines) <= MOST_PHRASES, FILE_NAME, rule, got=len(lines), where=FILE_NAME, remedy=_REMEDY)
    phrases = []
    for number, line in enumerate(lines, start=1):
        phrase = " ".join(line.split())
        if not phrase or phrase.startswith("#"):
            continue
        sound = len(phrase) <= LONGEST and sum(map(str.isalnum, phrase)) >= FEWEST_LETTERS
        rule = f"have {FEWEST_LETTERS} letters or digits and at most {LONGEST} characters"
        where = f"{FILE_NAME}, line {number}"
        require(sound, "phrase", rule, got=f"{len(phrase)} characters", where=where, remedy=_REMEDY)
        phrases.append(phrase)
    return DenyList(tuple(sorted(set(phrases), key=lambda phrase: (-len(phrase), phrase))))


@cache
def _pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    alternatives = "|".join(r"\s+".join(map(_spelled, phrase.split())) for phrase in phrases)
    return re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)", re.IGNORECASE)


def _spelled(word: str) -> str:
    """The pattern of a word: each letter with any accent or with none, ß also as ss, and ä also as ae."""
    decomposed = unicodedata.normalize("NFD", word.replace("ß", "ss").replace("ẞ", "SS"))
    return "".join(map(_letter, re.findall(r"ss|[aou]e|[aou]\u0308|.", decomposed, re.IGNORECASE)))


def _letter(letter: str) -> str:
    """The pattern of a letter, or of two that may be one."""
    small = letter.casefold()
    if small == "ss":
        return "(?:ss|ß)"
    if len(small) == 2:  # an umlaut, or how it is written without one
        return f"(?:{small[0]}\u0308?e|{_class(small[0])})"
    if unicodedata.combining(letter):
        return ""
    if letter in "'’":
        return "['’]"
    return _class(small) if letter.isalpha() else re.escape(letter)


def _class(letter: str) -> str:
    """The pattern of a letter with any accent, as one character or two."""
    return f"[{re.escape(letter)}{_accented()[letter]}][\u0300-\u036f]*"


@cache
def _accented() -> defaultdict[str, str]:
    """Letter without accent → the letters with one."""
    found: defaultdict[str, str] = defaultdict(str)
    for letter in map(chr, range(0xC0, 0x250)):
        base = unicodedata.normalize("NFD", letter)[0]
        if base != letter:
            found[base.casefold()] += letter
    return found
