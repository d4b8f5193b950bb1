"""Build the vocabulary that ships with the bundle.

A vocabulary learned from reports would send a site's words to all other sites. This one uses public words only: a
hand-written list (``lexicon.txt``) and the names of the DICOM standard's medical concepts from pydicom (MIT licence).
It needs counts and no training: the same sources always give the same file.
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
PIECES = 340  # the number of word beginnings, and of continuations
SYMBOLS = "°±µ×≤≥–—’“”…²³½¼"  # non-ASCII characters of radiology reports
SCHEMES = ("DCM", "RADLEX", "SCT", "NCIt", "UMLS", "FMA")
ANIMALS = re.compile(  # the standard also names animal breeds and teeth; chest reports need neither
    r"breed|cattle|horse|pony|sheep|goat|boar|terrier|hound|spaniel|landrace|dachshund|retriever|haired|tooth",
    re.IGNORECASE,
)
SHORTEST_CONCEPT_WORD = 4
CONTINUATION = "##"


def build_vocabulary() -> list[str]:
    """Return the tokens by id: special tokens, characters, the lexicon, pieces, then concept words."""
    lexicon = read_lexicon(LEXICON)
    concepts = ranked_concept_words()
    whole = [token for token in lexicon if not token.startswith(CONTINUATION)]
    tokens = [*SPECIAL_TOKENS, *characters(), *lexicon, *frequent_pieces([*whole, *concepts]), *concepts]
    return list(dict.fromkeys(tokens))[:SIZE]


def characters() -> list[str]:
    """Return every character of lower-case text, then the continuation of every character that can continue a word."""
    alphanumeric = string.digits + string.ascii_lowercase
    printable = [*alphanumeric, *string.punctuation, *SYMBOLS]
    return [*printable, *(CONTINUATION + character for character in alphanumeric + SYMBOLS)]


def read_lexicon(path: Path) -> list[str]:
    """Return the distinct words and word endings of a lexicon, sorted.

    Raises:
        InputError: an entry is neither a lower-case word nor a word ending.
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
    """Return the words of the DICOM standard's concept names, most frequent first; ties in alphabetical order."""
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
    """Return the word pieces that save most tokens: count times (length − 1), beginnings first."""
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
    """Return the first :data:`PIECES` by weight; ties in alphabetical order."""

    def weight(piece: str) -> int:
        return counts[piece] * (len(piece.removeprefix(CONTINUATION)) - 1)

    return sorted(counts, key=lambda piece: (-weight(piece), piece))[:PIECES]
