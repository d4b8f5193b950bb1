"""The language of a report by its commonest small words or its headings; a screen for five languages, no more."""

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


LABELS = {
    "German": re.compile(r"\b(?:befunde?|beurteilung|angaben|fragestellung|indikation|voraufnahmen?)\s?:"),
    "French": re.compile(r"\b(?:résultats?|compte[- ]rendu|renseignements cliniques|motif|au total|synthèse)\s?:"),
    "Spanish": re.compile(r"\b(?:hallazgos?|impresión(?: diagnóstica)?|informe|técnica|motivo|datos clínicos)\s?:"),
    "Dutch": re.compile(r"\b(?:bevinding(?:en)?|conclusie|verslag|klinische gegevens|vraagstelling|beoordeling)\s?:"),
}
"""Language → headings, of the languages with an example in docs/report-grammars."""


def language_of_site(text: str) -> str:
    """Return the language of a site's reports by their headings, otherwise by small words; empty if neither tells."""
    small = text.lower()
    counts = {language: len(labels.findall(small)) for language, labels in LABELS.items()}
    most = max(counts, key=lambda language: counts[language])
    return most if counts[most] else language_of(text) or ""
