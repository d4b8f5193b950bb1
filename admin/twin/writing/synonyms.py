"""Synonyms for each style, so that two hospitals of one style can differ in their words."""

from __future__ import annotations

import re
from collections.abc import Mapping

from numpy.random import Generator

SYNONYMS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "structured": {
        "pleural effusion": ("pleural fluid", "hydrothorax"),
        "consolidation": ("airspace disease", "lobar opacification"),
        "cardiomegaly": ("cardiac enlargement", "an enlarged heart"),
        "nodule": ("lesion", "mass-like density"),
        "pneumothorax": ("pleural air", "collapsed lung"),
        "edema": ("vascular congestion", "fluid overload"),
        "atelectasis": ("volume loss", "subsegmental collapse"),
        "catheter": ("line", "access"),
        "normal": ("unremarkable",),
    },
    "prose": {
        "effusion": ("hydrothorax", "accumulation of fluid"),
        "shadowing": ("opacification", "density"),
        "lesion": ("focus", "density"),
        "collapse": ("dystelectasis", "loss of volume"),
        "congestion": ("fluid overload", "venous stasis"),
        "broken rib": ("rib fracture", "fractured rib"),
        "enlargement": ("dilatation",),
        "examination": ("study", "film"),
    },
    "telegraphic": {
        "eff": ("fluid", "hydroTx"),
        "consol": ("infiltr", "pneumonic"),
        "nod": ("lesion", "focus"),
        "ptx": ("pneumothx", "PTX"),
        "atel": ("collapse", "vol loss"),
        "Congestion": ("Overload", "LVF"),
        "PPM": ("Pacer", "ICD/PPM"),
        "CVC": ("central line", "CVL"),
    },
    "checklist": {
        "infiltrate": ("opacity", "consolidation"),
        "hydrothorax": ("effusion",),
        "lesion": ("nodule", "mass"),
        "congestion": ("oedema", "stasis"),
        "heart": ("cor",),
        "regular": ("normal", "unremarkable"),
    },
}
"""Style → word or words → their synonyms; words for a side, a zone or a size have none."""


def reworded(text: str, rng: Generator, *, style: str, share: float) -> str:
    """Return the text with some words replaced by synonyms; a capital first letter stays.

    Args:
        text: a report.
        rng: random source of words and synonyms.
        style: a key of :data:`SYNONYMS`.
        share: chance of each word with a synonym to be replaced, in [0, 1].
    """
    words = SYNONYMS[style]
    pattern = "|".join(rf"{re.escape(word[0])}{re.escape(word[1:])}" for word in sorted(words, key=len, reverse=True))
    folded = {word.lower(): options for word, options in words.items()}

    def other(match: re.Match[str]) -> str:
        options = folded[match[0].lower()]
        if match[0].isupper() or rng.random() >= share:  # a heading, an abbreviation
            return match[0]
        option = options[int(rng.integers(len(options)))]
        return option[0].upper() + option[1:] if match[0][0].isupper() else option

    return re.sub(rf"\b(?:{pattern})\b", other, text, flags=re.IGNORECASE)
