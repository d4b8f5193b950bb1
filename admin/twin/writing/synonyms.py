"""Other words for the same thing, for each way of writing: two hospitals of one style may still differ in words."""

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
"""style → word or words → what may stand in their place; no word for a side, a zone or a size is among them."""


def reworded(text: str, rng: Generator, *, style: str, share: float) -> str:
    """The text with some of its words replaced by synonyms; a capital at the start is kept.

    Args:
        text: a report.
        rng: which words, and by what.
        style: a key of :data:`SYNONYMS`.
        share: chance of each word that has a synonym, in [0, 1].
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
