"""Phrases that may be identifiers, found without the scrubber's patterns, so that they can be found in what it left.

Capitalised words that no vocabulary knows, digits in long runs, separators, words beside a tag, and words for a date
or a high age. Each kind has a weight; from :data:`FIRES` on a phrase makes its report suspicious.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from admin.site.doctor.language import language_of, language_of_site
from admin.site.doctor.phrases.known_words import KnownWords

FIRES, MOST, SAMPLE = 2, 50, 200
_FREQUENT, _USUAL, _RARE = 5.3, 3.3, 2.9
_ACRONYM = 4
_TOKEN = re.compile(r"\[[A-Z]+\]|\d+(?:[.,]\d+)?|[^\W_]+(?:['’-][^\W_]+)*|[^\s\w]|_")
_TAG = re.compile(r"\[[A-Z]+\]")
_BREAKS = frozenset('.:;!?()*•–—|"[]')
_CUES = frozenset(
    [
        "to",
        "with",
        "by",
        "from",
        "per",
        "mit",
        "von",
        "an",
        "durch",
        "par",
        "avec",
        "à",
        "con",
        "al",
        "por",
        "met",
        "door",
        "aan",
        "van",
    ]
)
_TITLES = frozenset(("dr", "drs", "mr", "mrs", "ms", "prof", "dhr", "mw", "sr", "sra", "mme", "st"))
_NUMBERS = {
    "separator": (3, re.compile(r"[^\s\[\]]*(?:\^|@|\\\\|//)[^\s\[\]]*")),
    "digits": (
        3,
        re.compile(
            r"(?<![\w.,])(?:\w{0,6}\d{5,}\w*|\d{1,4}(?:[ .-]\d{2,4}){3,}"
            r"|\d{1,4}(?: \d{2,4}){2,})(?![\w]|[.,]\d| ?(?:mm|cm|ml))"
        ),
    ),
    "letters and digits": (
        2,
        re.compile(
            r"(?<![\w/-])(?!(?:[TLCS]\d|COVID|SARS|CD\d|IL|HER|CA\d|I-131|Tc|F-18|BI-RADS|PA|AP|x\d)[\w/-]*)"
            r"(?=[\w-]*[A-Za-z])(?=(?:[\w/-]*?\d){3})[A-Za-z\d]+(?:[/-][A-Za-z\d]+)*(?![\w-])"
        ),
    ),
    "initials": (
        2,
        re.compile(
            r"(?<![\w/])(?!(?:PA|AP|LL|CT|MR|HU)[/:])[A-Z]{2,4}[/:](?!(?:lat|mm|cm|ml|kg|mg|dl|hr"
            r"|min)\b)[a-z]{2,4}(?![\w/])"
        ),
    ),
    "number": (
        2,
        re.compile(
            r"(?<![\w.,/-])(?!(?:19|20)\d\d\b)\d{4}"
            r"(?![\w]|[.,]\d| ?(?:HU|mm[²³23]?|cm[²³23]?|ml|mL|g|mg|m|x|°|%|hrs?|cc|units?)\b| ?[×x])"
        ),
    ),
    "date": (
        2,
        re.compile(
            r"(?<![\w./-])(?:\d\d?/\d\d?/\d\d(?:\d\d)?|0\d/\d\d?|\d\d?/0\d|\d\d/(?:1[3-9]|[2-9]\d)"
            r"|(?:0[1-9]\.\d\d?|[1-3]?\d\.0[1-9])\.(?=\s|$|,))(?![\w/])"
            r"|\b(?:January|February|April|June|July|August|September|October|November|December|Januar|Februar"
            r"|März|Dezember|Juni|Juli"
            r"|Oktober|janvier|février|avril|juillet|août|décembre|enero|febrero|abril|junio|julio|agosto"
            r"|septiembre|diciembre|januari"
            r"|februari|augustus|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|Christmas|Easter"
            r"|Weihnachten|Ostern|Noël|Navidad)\b"
            r"|\b\d{1,2} ?(?:Uhr|uur)\b"
        ),
    ),
    "age": (
        2,
        re.compile(
            r"(?i:\b\w{0,12}(?:ninet(?:y|ieth)|hundredth|centenarian|neunzig|quatre-vingt-(?:dix|onze|douze|tr"
            r"|qua|qui|sei)|nonagén|noventa"
            r"|nonagen|negentig|honderd)\w{0,12})"
            r"|\b(?:9\d|1[01]\d)(?=[ -]?(?:year|yo\b|y/o|jähr|Jahre|ans\b|años|jaar|jarige))"
        ),
    ),
}


@dataclass(frozen=True)
class Phrase:
    """A suspicious phrase. Its words must not leave the site.

    Attributes:
        words: as the first report has them.
        kind: why it is suspicious; from a closed list.
        weight: from 1 to 3.
    """

    words: str = field(repr=False)
    kind: str
    weight: int


@dataclass(frozen=True)
class Suspicion:
    """What is suspicious at a site: the phrases of each report, and the most suspicious ones with their numbers."""

    of_report: Mapping[int, tuple[Phrase, ...]] = field(repr=False)

    def firing(self) -> dict[int, tuple[Phrase, ...]]:
        """Return report → its phrases that are suspicious enough on their own."""
        strong = {key: tuple(one for one in found if one.weight >= FIRES) for key, found in self.of_report.items()}
        return {key: found for key, found in strong.items() if found}

    def most(self) -> list[tuple[str, int]]:
        """Return the fifty most suspicious phrases, each with its number of reports: by weight, the rarest first."""
        weights: Counter[str] = Counter()
        counts: Counter[str] = Counter()
        written: dict[str, str] = {}
        for found in self.of_report.values():
            for one in {phrase.words.casefold(): phrase for phrase in found}.values():
                name = one.words.casefold()
                written.setdefault(name, one.words)
                counts[name] += 1
                weights[name] = max(weights[name], one.weight)
        ordered = sorted(written, key=lambda name: (-weights[name], counts[name], name))
        return [(written[name], counts[name]) for name in ordered[:MOST]]


def suspicion(reports: Mapping[int, str]) -> Suspicion:
    """Return what is suspicious in the reports of a site, by the key of each."""
    tokens = {key: _TOKEN.findall(text) for key, text in reports.items()}
    lower = Counter(word for words in tokens.values() for word in {word for word in words if word.islower()})
    once = Counter(word for words in tokens.values() for word in {word.casefold() for word in words})
    languages = {key: language_of(text) for key, text in reports.items()}
    usual = language_of_site("\n".join(islice(reports.values(), SAMPLE)))
    known = KnownWords({usual, *filter(None, languages.values())}, (word for word, count in lower.items() if count > 1))
    found = {
        key: (*_numbers(text), *_words(tokens[key], known, once, german=(languages[key] or usual) == "German"))
        for key, text in reports.items()
    }
    return Suspicion({key: phrases for key, phrases in found.items() if phrases})


def _numbers(text: str) -> Iterator[Phrase]:
    """The phrases that have a suspicious shape."""
    plain = _TAG.sub(" ", text)
    for kind, (weight, pattern) in _NUMBERS.items():
        for match in pattern.finditer(plain):
            words = match[0].strip(" ,;:()")
            if len(words) > 1:
                yield Phrase(words, kind, weight)


def _words(tokens: Sequence[str], known: KnownWords, once: Mapping[str, int], *, german: bool) -> Iterator[Phrase]:
    """The runs of words that may be names."""
    capitals = _in_capitals(tokens)
    run: list[tuple[str, int]] = []
    for before, token in _neighbours(tokens):
        weight = _weight(before, token, known, once, german=german, capitals=capitals)
        if weight:
            run.append((token, weight))
            continue
        yield from _phrase(run, german=german)
        run = []
    yield from _phrase(run, german=german)


def _neighbours(tokens: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each word with the one before it; the full stop of an initial or a title ends no sentence."""
    for first, before, token in zip(["", ".", *tokens], [".", *tokens], tokens, strict=False):
        short = before == "." and ((len(first) == 1 and first.isupper()) or first.casefold() in _TITLES)
        yield (first if short else before), token


def _phrase(run: Sequence[tuple[str, int]], *, german: bool) -> Iterator[Phrase]:
    """The phrase of neighbouring words. Two unknown nouns beside each other are no German."""
    if run:
        weight = max(weight for _, weight in run) + (german and len(run) > 1)
        yield Phrase(" ".join(word for word, _ in run), "words", min(weight, 3))


def _in_capitals(tokens: Sequence[str]) -> bool:
    """Whether most words of a report are in capitals."""
    words = [token for token in tokens if token.isalpha() and len(token) > 3]
    return sum(map(str.isupper, words)) > len(words) / 2


def _weight(
    before: str, token: str, known: KnownWords, once: Mapping[str, int], *, german: bool, capitals: bool
) -> int:
    """How suspicious a word is as a part of a name, from 0 to 3."""
    if (
        not token.replace("-", "").replace("'", "").replace("’", "").isalpha()
        or len(token) < 3
        or known.is_medical(token)
    ):
        return 0
    frequency = known.frequency(token.casefold())
    single = once[token.casefold()] == 1
    if token.islower() or capitals:
        after_cue = before.casefold() in _CUES and frequency < _USUAL
        return 2 if after_cue else int(single and frequency < _RARE)
    if not token[0].isupper() or (token.isupper() and (len(token) < _ACRONYM or frequency > _RARE)):
        return 0
    if _TAG.fullmatch(before) and frequency < _FREQUENT:
        return 3 if not german else 2
    starts = before in _BREAKS
    if german:
        return 2 if frequency < _RARE and single else int(frequency < _USUAL)
    if starts:
        return (1 + (before == ":")) * (frequency < _USUAL)
    return 2 if frequency < _FREQUENT else 0
