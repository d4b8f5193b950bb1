"""Corrects a heading in which one letter is missing, added, wrong or exchanged with its neighbour: "IMRESSION:"."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping

SHORTEST = 7
"""Letters of the shortest heading that is corrected. Shorter words have too many neighbours."""

_OTHER_WORDS = frozenset({"concussion", "pinion", "bindings", "examinations"})
_LETTERS = r"[^\W\d_](?:[^\W\d_]|[ '’/-](?=[^\W\d_])){5,40}"
_AT_START = re.compile(
    rf"(?:^[*_#=•>-]{{0,6}} ?|(?<=[.;!?]) )(?P<name>{_LETTERS})(?= ?[*_#=]{{0,6}}(?:[:：]|$))", re.MULTILINE
)
_SHAPED = re.compile(
    r"^(?:(?P<open>[\[<{]) ?)?(?P<name>(?:[^\W\d_] ){4,20}[^\W\d_]|[^\W\d_][^\[\]<>{}\n:;]{2,40}?)"
    r"(?(open) ?[\]>}] ?:?|(?: ?;(?= )|(?= ?:|$)))",
    re.MULTILINE,
)
_INSIDE = re.compile(r"(?<= )(?P<name>[A-ZÀ-Þ]{5,20}(?: [A-ZÀ-Þ]{2,20}){0,3})(?= ?[:：])")


def spellings(headings: Iterable[str]) -> Mapping[str, str]:
    """Return each heading's spellings, itself and without one of its letters, with the heading in capitals."""
    found: dict[str, str] = {}
    for heading in headings:
        word = heading.casefold()
        if sum(map(str.isalpha, word)) >= SHORTEST:
            for spelling in _without_one_letter(word):
                found.setdefault(spelling, heading.upper())
    return found


def corrected(text: str, headings: Mapping[str, str]) -> str:
    """Return a text with its misspelt headings in capitals and right.

    Only words before a colon, or alone on a line in capitals, are compared; within a line they must be in capitals.

    Args:
        text: a report with single blanks.
        headings: the result of :func:`spellings`.
    """
    for pattern in (_AT_START, _INSIDE):
        text = pattern.sub(lambda match: _right(match, headings), text)
    return text


def plainly_headed(text: str, heading: re.Pattern[str], *, but: Container[str]) -> str:
    """Return a text with a colon after headings in brackets or before a semicolon, and without blanks between letters.

    Args:
        text: a report with single blanks.
        heading: the pattern of a heading.
        but: words that in brackets are no heading, because they are the scrubber's tags.
    """
    return _SHAPED.sub(lambda match: _shaped(match, heading, but), text)


def _shaped(match: re.Match[str], heading: re.Pattern[str], but: Container[str]) -> str:
    spaced = re.fullmatch(r"(?:\w )+\w", match["name"]) is not None
    name = match["name"].replace(" ", "") if spaced else match["name"]
    shaped = spaced or match["open"] is not None or match[0].endswith(";")
    if not shaped or name in but or not name[0].isupper() or not heading.fullmatch(f"{name}:"):
        return match[0]
    return name if spaced and match["open"] is None and not match[0].endswith(";") else f"{name}:"


def _right(match: re.Match[str], headings: Mapping[str, str]) -> str:
    name = match["name"]
    word = name.casefold()
    known = word in _OTHER_WORDS or headings.get(word, "").casefold() == word
    alone = match.string[match.end() : match.end() + 1] in ("", "\n")
    if known or (name[0].islower() and not name[1:].isupper()) or (alone and not name.isupper()):
        return match[0]
    near = {heading for one in _without_one_letter(word) if (heading := headings.get(one))}
    return match[0].replace(name, near.pop()) if len(near) == 1 else match[0]


def _without_one_letter(word: str) -> tuple[str, ...]:
    """Return the word, and the word without each of its letters: two words with one in common differ in one letter."""
    return (word, *(word[:place] + word[place + 1 :] for place in range(len(word))))
