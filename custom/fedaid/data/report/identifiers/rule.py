"""What a rule of the scrubber is: a class of identifiers, a pattern, and hints that make it cheap."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

NO_MEASURE = (
    r"(?!\s?(?:mm|cm|m|ml|mL|cc|L|HU|kVp?|mAs?|mGy|mSv|ms|kg|g|mg|Fr|French|gauge|mmHg|degrees|bpm|days?"
    r"|weeks?|months?)\b"
    r"|\s?[%°x×*]|[.,]\d)"
)
"""What must not follow a number, because then it is a measurement."""

GAP = r"[^\S\n]{1,2}"
CAPITALS = "A-ZÀ-ÖØ-Þ" + "".join(letter for letter in map(chr, range(0x100, 0x180)) if letter.isupper())
SMALLS = "a-zß-öø-ÿ" + "".join(letter for letter in map(chr, range(0x100, 0x180)) if letter.islower())
CAPITAL = f"[{CAPITALS}]"


_LONGEST_START = 6
_WORD = re.compile(r"[^\W\d_]+")
_LABEL = re.compile(r"([^\W\d_]{1,40})[.)s]{0,3}\s?[:=]")
_HEADINGS = frozenset(
    [
        "findings",
        "finding",
        "impression",
        "conclusion",
        "indication",
        "indications",
        "comparison",
        "technique",
        "history",
        "examination",
        "exam",
        "lungs",
        "heart",
        "pleura",
        "bones",
        "mediastinum",
        "views",
        "recommendation",
        "by",
        "befund",
        "beurteilung",
        "technik",
        "fragestellung",
        "angaben",
        "indikation",
        "résultat",
        "résultats",
        "hallazgos",
        "impresión",
        "técnica",
        "indicación",
        "bevindingen",
        "conclusie",
        "indicatie",
        "vraagstelling",
    ]
)
"""Labels that no name follows, or, after "by", one that other rules find."""


class Facts:
    """What a text has, to know which rules need not be tried.

    Attributes:
        small: the text in lower case.
        starts: the first letters of its words, up to six of each.
        labelled: whether a colon follows a word that is no usual heading.
    """

    def __init__(self, text: str) -> None:
        self.small = text.lower()
        words = set(_WORD.findall(self.small))
        self.starts = {word[:end] for word in words for end in range(1, min(len(word), _LONGEST_START) + 1)}
        self.labelled = not _HEADINGS.issuperset(_LABEL.findall(self.small))


@dataclass(frozen=True)
class Rule:
    """One pattern of the scrubber.

    Attributes:
        kind: the class of identifiers. It replaces the group `x` of the pattern, or the whole match without one.
        source: the regular expression. Its quantifiers are bounded or over one class, so matching takes linear time.
        hints: fragments in lower case. A text without any of them cannot match; without hints any text can.
        starts: first letters of words, up to six, in lower case. A text without such a word cannot match.
        labelled: whether only a text with an unusual label can match.
    """

    kind: str
    source: str
    hints: tuple[str, ...] = ()
    starts: frozenset[str] = frozenset()
    labelled: bool = False

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The compiled expression. The first text that needs it compiles it: all of them take half a second."""
        return re.compile(self.source)

    def may_match(self, facts: Facts) -> bool:
        """Whether a text with these facts can match."""
        if self.labelled and not facts.labelled:
            return False
        if self.starts and self.starts.isdisjoint(facts.starts):
            return False
        return not self.hints or any(hint in facts.small for hint in self.hints)


def rules(kind: str, *sources: str, hints: str = "", starts: str = "", labelled: bool = False) -> tuple[Rule, ...]:
    """Return rules of one class.

    Args:
        kind: their class.
        sources: regular expressions.
        hints: fragments in lower case, separated by `|`, one of which is in every match.
        starts: the alternatives with which a match begins, as a regular expression.
        labelled: whether a match has a label with a colon.
    """
    fragments = tuple(filter(None, hints.split("|")))
    first = first_letters(starts) if starts else frozenset()
    return tuple(Rule(kind, source, fragments, first, labelled) for source in sources)


def first_letters(alternatives: str) -> frozenset[str]:
    """Return the letters, at most six, with which the words of some alternatives begin.

    It is empty if an alternative does not begin with a letter, because then nothing is known.
    """
    found: set[str] = set()
    for one in _divided(alternatives):
        if one.startswith(("(?:", "(?i:")):
            end = _closing(one)
            inside = first_letters(one[one.index(":") + 1 : end])
            found |= inside or {""}
            if one[end + 1 : end + 2] in ("?", "{", "*"):
                rest = one[one.index("}", end) + 1 if one[end + 1] == "{" else end + 2 :]
                found |= first_letters(rest) or {""}
        else:
            found.add(_literal(one))
    return frozenset() if "" in found else frozenset(found)


def _divided(alternatives: str) -> list[str]:
    """The alternatives outside of groups and classes."""
    parts, depth = [""], 0
    for before, letter in zip(" " + alternatives, alternatives, strict=False):
        if before != "\\":
            depth += (letter in "([") - (letter in ")]")
        if letter == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _closing(group: str) -> int:
    """The index of the bracket that closes the first one."""
    depth = 0
    for index, letter in enumerate(group):
        if index and group[index - 1] == "\\":
            continue
        depth += (letter in "([") - (letter in ")]")
        if depth == 0:
            return index
    return len(group)


def _literal(alternative: str) -> str:
    """The letters with which an alternative begins; an optional one at the end does not count."""
    letters = re.match(r"[^\W\d_]*", alternative)
    found = letters[0] if letters else ""
    if alternative[len(found) : len(found) + 1] in ("?", "*", "{"):
        found = found[:-1]
    return found.lower()[:_LONGEST_START]
