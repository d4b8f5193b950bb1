"""Builds the vocabulary that ships with the bundle.

A vocabulary learned from reports would carry a site's words to all others, so this one is made of public words only: a
list written by hand (``lexicon.txt``) and the names of the DICOM standard's medical concepts, as pydicom (MIT
licence) holds them. It is counted, not trained: the same sources always give the same file.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydicom.sr.codedict import codes

from fedaid.errors import require
from fedaid.models.vocabulary import SPECIAL_TOKENS

LEXICON = Path(__file__).parent / "lexicon.txt"
SIZE = 4096
PIECES = 340  # beginnings of words, and as many continuations
SYMBOLS = "°±µ×≤≥–—’“”…²³½¼"  # what is not ASCII in a radiology report
SCHEMES = ("DCM", "RADLEX", "SCT", "NCIt", "UMLS", "FMA")
ANIMALS = re.compile(  # the standard names breeds too; and teeth, which no chest holds
    r"breed|cattle|horse|pony|sheep|goat|boar|terrier|hound|spaniel|landrace|dachshund|retriever|haired|tooth",
    re.IGNORECASE,
)
SHORTEST_CONCEPT_WORD = 4
CONTINUATION = "##"


def build_vocabulary() -> list[str]:
    """The tokens in the order of their ids: special ones, characters, the lexicon, pieces, then concept words."""
    lexicon = read_lexicon(LEXICON)
    concepts = ranked_concept_words()
    whole = [token for token in lexicon if not token.startswith(CONTINUATION)]
    tokens = [*SPECIAL_TOKENS, *characters(), *lexicon, *frequent_pieces([*whole, *concepts]), *concepts]
    return list(dict.fromkeys(tokens))[:SIZE]


def characters() -> list[str]:
    """Every character that lower-cased text can hold, alone, and every one that can continue a word."""
    alphanumeric = string.digits + string.ascii_lowercase
    printable = [*alphanumeric, *string.punctuation, *SYMBOLS]
    return [*printable, *(CONTINUATION + character for character in alphanumeric + SYMBOLS)]


def read_lexicon(path: Path) -> list[str]:
    """The distinct words and word endings of a lexicon, sorted.

    Raises:
        InputError: for an entry that is not a lower-case word or a word ending.
    """
    entries: set[str] = set()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        for entry in [] if line.startswith("# ") else line.split():
            legal = re.fullmatch(r"(##)?[a-z]+", entry) is not None
            where, remedy = f"{path.name}, line {number}", "Write words in lower case, endings as ##ing."
            require(legal, "entry", "be a lower-case word or ending", got=entry, where=where, remedy=remedy)
            entries.add(entry)
    return sorted(entries)


def ranked_concept_words() -> list[str]:
    """Words of the DICOM standard's concept names, the most frequent first, then by the alphabet."""
    counts = Counter(word for meaning in _concept_meanings() for word in set(re.findall(r"[a-z]+", meaning.lower())))
    return sorted(
        (word for word, count in counts.items() if len(word) >= SHORTEST_CONCEPT_WORD and count > 1),
        key=lambda word: (-counts[word], word),
    )


def _concept_meanings() -> Iterator[str]:
    for scheme in SCHEMES:
        collection = getattr(codes, scheme)
        for keyword in collection.dir():
            meaning = str(getattr(collection, keyword).meaning)
            if not ANIMALS.search(meaning):
                yield meaning


def frequent_pieces(words: Iterable[str]) -> list[str]:
    """The beginnings and continuations that save most tokens: count times length beyond the first character."""
    starts: Counter[str] = Counter()
    middles: Counter[str] = Counter()
    for word in sorted(set(words)):
        starts.update(word[:length] for length in range(2, min(7, len(word))))
        middles.update(
            CONTINUATION + word[begin : begin + length]
            for length in range(2, 6)
            for begin in range(1, len(word) - length + 1)
        )
    return [*_heaviest(starts), *_heaviest(middles)]


def _heaviest(counts: Counter[str]) -> list[str]:
    """The first :data:`PIECES` by weight; the alphabet decides between equals."""

    def weight(piece: str) -> int:
        return counts[piece] * (len(piece.removeprefix(CONTINUATION)) - 1)

    return sorted(counts, key=lambda piece: (-weight(piece), piece))[:PIECES]
