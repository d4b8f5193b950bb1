"""Which words of a report are known: radiology's, a language's frequent ones, and endings of medical words.

The frequencies are those of the package wordfreq (code Apache-2.0, data CC BY-SA 4.0), which holds them in its wheel.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import fedaid
from admin.site.doctor.language import SMALL_WORDS
from fedaid.data.report.identifiers.name_words import NO_NAME

CODES = {"English": "en", "German": "de", "French": "fr", "Spanish": "es", "Dutch": "nl"}
_LANGUAGES = frozenset(CODES)
_SHORT = 5
_VOCABULARY = Path(fedaid.__file__).parent / "models" / "vocabulary.txt"
_WRITTEN = (
    "french|kerley|swan|ganz|ghon|hampton|westermark|pancoast|fleischner|hickman|dobhoff|dobbhoff|bochdalek|morgagni"
    "|chilaiditi|ranke|zenker|trendelenburg|hounsfield|schmorl|sengstaken|blakemore"
    "|greenfield|hodgkin|kaposi|ewing|nissen|bjork|shiley|luer|groshong|monckeberg|swyer"
    "|scadding|aspergillus|mycoplasma|klebsiella|streptococcus|staphylococcus|pneumocystis|cobb|bucky|impella"
    "|medtronic|biotronik|covid|sars-cov-2|lung-rads|bi-rads|gram|crohn|wegener|parkinson|alzheimer|alport"
    "|marfan|scimitar|luschka|larrey|rigler|mccort|naclerio|thymus"
    "|luftsichel|sitzmarks|valsalva|mach|codman|sharpey|looser|hill-sachs|bankart|paget|pott|cushing|addison"
)
_PLAIN = frozenset(re.findall(r"[^\W\d_]{3,}", NO_NAME))
"""The words that the scrubber never takes for a name."""
_EPONYMS = frozenset(_WRITTEN.split("|"))
_ENDINGS = re.compile(
    r"\w{2,}(?:itis|osis|ose|oma|omas|emia|aemia|ämie|émie|emie|thorax|graph(?:y|ie|ía|ic|isch\w*)|gram(?:m|me"
    r"|ma|s)?|pathy|pathie"
    r"|patía|ectom\w+|ektom\w+|plast\w+|scop\w+|skop\w+|ectas\w+|ektas\w+|megal\w+|stenosis|stenos\w*|plegia"
    r"|algia|trophy|trophie"
    r"|genic|cyst\w*|zyst\w*|tracheal|cardial|kardial|pulmon\w+|pleur\w+|bronch\w+|broncho\w+|vascular"
    r"|vaskulär\w*|costal|kostal|ventr\w+"
    r"|basal\w*|apical\w*|apikal\w*|hilar\w*|hilär\w*|lateral\w*|fibros\w*|sklero\w*|sclero\w*|nodul\w+|ation"
    r"|ations|ación|ition|izing"
    r"|ally|ness|ment|ments|ity|ities|ibility|ous|able|ible|ified|ising|ized|ated|ating|ular|icular|ed|ing|ly"
    r"|ung|ungen|heit|keit"
    r"|keiten|schatten|schattung\w*|zeichnung\w*|winkel\w*|gefäß\w*|kuppe\w*|feld\w*|lappen\w*|struktur\w*"
    r"|infiltrat\w*|aufnahme\w*"
    r"|sinus|silhouette|schlinge\w*|katheter\w*|sonde\w*|fraktur\w*|wirbel\w*|säule\w*|rippe\w*|herz\w*|hilus\w*"
    r"|raum\w*|befund\w*|ödem\w*"
    r"|herd\w*|knoten\w*|bereich\w*|kontur\w*|lunge\w*|lungen\w*|erguss\w*|ergüsse\w*|stauung\w*|verbreiter\w*"
    r"|transparen\w*|kranial\w*"
    r"|kaudal\w*|aorten\w*|mediastin\w*|tomie|ologie|ología|logie|isch\w{0,2}|lich\w{0,2}|ig\w{1,2}|tät|nisse?"
    r"|ique|iques|ement|aire|aires"
    r"|euse|euses|eux|mente|idad|ivo|iva|ivos|ivas|ado|ada|ados|adas|ico|ica|icos|icas|ische?|atie|iteit|baar|loos)",
    re.IGNORECASE,
)


@cache
def _radiology() -> frozenset[str]:
    """The whole words of the vocabulary that travels with the program."""
    lines = _VOCABULARY.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if len(line) > 2 and line.isalpha())


@cache
def _begins(part: str) -> bool:
    return any(word.startswith(part) for word in _radiology())


class KnownWords:
    """What is known of words at a site.

    Args:
        languages: languages of its reports, of :data:`CODES`. Without one, all.
        site_words: words that the site writes in lower case in at least two reports.
    """

    def __init__(self, languages: Iterable[str], site_words: Iterable[str]) -> None:
        self._codes = [CODES[name] for name in sorted(set(languages) & _LANGUAGES or _LANGUAGES)]
        self._site = frozenset(site_words)
        self._listed = _PLAIN.union(_radiology(), _EPONYMS, *SMALL_WORDS.values())

    def is_medical(self, word: str) -> bool:
        """Whether a word is radiology's, an eponym of it, the site's own, or has the ending of a medical word."""
        small = word.casefold()
        parts = small.replace("'", "-").replace("’", "-").split("-")
        ending = len(small) > _SHORT and _ENDINGS.fullmatch(small) is not None
        return ending or small in _EPONYMS or small in self._site or all(map(self._is_named, parts))

    def _is_named(self, part: str) -> bool:
        """Whether a word or its singular is in a vocabulary, or is the beginning of one that was cut off."""
        forms = {part, part.removesuffix("s"), part.removesuffix("es"), part.removesuffix("n"), part.removesuffix("en")}
        return len(part) < 2 or not self._listed.isdisjoint(forms) or (len(part) > _SHORT and _begins(part))

    def frequency(self, word: str) -> float:
        """Return the Zipf frequency of a word in the site's languages: 0 for an unknown one, 7 for "the"."""
        from wordfreq import zipf_frequency

        return float(max(zipf_frequency(word, code, wordlist="best") for code in self._codes))
