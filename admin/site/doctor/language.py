"""The language of a report by its commonest small words; a screen for five languages, no more."""

from __future__ import annotations

import re
from collections.abc import Mapping

_WRITTEN: Mapping[str, str] = {
    "English": "the of and is are there with without no not normal in to has been this which left right",
    "German": "der die das und ist ohne mit kein keine keinen nicht im des den ein eine einer auf links",
    "French": "le la les des et est sans avec pas de du un une aux dans gauche droite normal",
    "Spanish": "el la los las y es sin con no de del un una en se izquierdo derecho al normal",
    "Dutch": "de het een en is zonder met geen niet van op in links rechts normaal aan bij voor",
}
SMALL_WORDS = {name: frozenset(words.split()) for name, words in _WRITTEN.items()}
LEAST = 3
_WORD = re.compile(r"[^\W\d_]+")


def language_of(text: str) -> str | None:
    """Return the language in which most small words of a text are, or None if too few are or two are even."""
    words = [word.casefold() for word in _WORD.findall(text)]
    counts = sorted(((sum(word in small for word in words), name) for name, small in SMALL_WORDS.items()), reverse=True)
    (most, name), (second, _) = counts[:2]
    return name if most >= LEAST and most > second else None
