"""Words on a film that identify nobody: side, view, position, breathing, device settings, clock times.

The lists are closed. A word that is in none of them may be a name. A date is in none, because a date identifies.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_SIDES = """
r l re li rt lt right left rightside leftside droit droite gauche rechts links rechte linke rechter linker
rechtes dextra dexter dext sinistra sinister sin destra destro sinistro dx sx derecha derecho izquierda
izquierdo dcha dcho izda izdo izq direita direito esquerda esquerdo dir esq hoger vanster venstre hojre hoyre
oikea vasen prawa prawy lewa lewy pravo levo prava leva право правый правая лево левый левая прав лев пр л п
δεξια αριστερα 右 左 右侧 左侧 右側 左側 우 좌 يمين يسار
"""
_VIEWS = """
pa ap dp vd p a ll rl lat lateral laterale lateraal lateralis lateralny seitlich seitl seite profil profile
perfil frontal frontale anterior posterior anteroposterior posteroanterior ppa oblique obliquo obliqua obl rao
lao rpo lpo decubitus decub decubito lld rld lordotic lordotique apical apicogramme boczne прямая боковая 正位
侧位 側位 正面 側面 정면 측면 chest thorax torax torace cxr rx rtg xray lung lungs lunge poumon poumons pulmon
klatka 胸部 胸片 가슴 흉부
"""
_POSITIONS = """
erect upright standing sitting seated semi semierect semiupright semirecumbent recumbent supine prone lying
auf liegend liegende lieg liegendaufnahme stehend stehende steh sitzend sitzende sitz halbsitzend ruckenlage
bauchlage bettaufnahme bettlunge debout couche assis demiassis allonge supino supina prono prona acostado
acostada sentado sentada bipedestacion ortostatismo ortostatica clinostatismo clinostatica deitado deitada piedi
seduto seduta zittend staand staande liggend liggande liggende staende sittande stojace lezace siedzace lezac
stojac лежа стоя сидя 仰卧 仰卧位 卧位 臥位 背臥位 仰臥位 腹臥位 半坐位 半座位 立位 坐位 座位 床旁 床边 病床
病棟 포터블 앙와위 입위 좌위 pe
"""
_DEVICES = """
station portable portables port portatif portatil portatile portabel mobile mobil mobiel mobilt bedside bucky icu itu
ccu nicu picu reanimation intensiv ポータブル insp inspi inspir inspiration inspiratory inspirium inspiratie
inspirazione inspiracion inspiracao exp expi exspir expiration exspiration expiratory expirium exspirium
expiratie espirazione espiracion kv kvp kvs mas ma ms msec mgy ugy dgycm cgycm sid ffd sdd fod cm mm ei exi dap
dai lgm iso grid nogrid raster focus time hrs hr am pm uhr repeat rpt film image img cr dr ddr digital
"""
MOST_SHORT, INITIALS = 5, 2
"""Most words in one place that may be initials or numbers, because more are a name read letter by letter; longest
word of Latin letters that may be a technician's initials."""

SHORTEST_CUT, MOST_CUT = 5, 2
"""Least letters that are left of a word at the edge of a film, and most letters that are missing."""

SHORTEST_LONG = 4
"""Of words without a space between them, one is at least this long."""

LETTERS_PER_ERROR = 6
"""The reader may mistake one letter in so many of a marker; a shorter marker must be read as it is."""

_DATE = re.compile(r"\d{1,4}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{2,4}|\d{2}/\d{2,4}")
_CLOCK = re.compile(r"(?<!\d)[0-2]?\d\s?[:.h]\s?[0-5]\d(?:[:.][0-5]\d)?(?!\d)", re.IGNORECASE)
_SETTING = re.compile(r"\d{1,3}(?:[.,]\d{1,2})?(?:kvp?|mas?|ms|cm|mm|%|°)?", re.IGNORECASE)
_WORD = re.compile(r"[^\s()\[\]<>{}/\\,;:=+*_#·•.|]+")
_TICKS = "1il"
"""A word of these alone is a row of ticks on a ruler."""

_CONFUSED = str.maketrans("0158", "oisb")


def plain(word: str) -> str:
    """Return the letters and digits of a word in lower case, without accents."""
    signs = unicodedata.normalize("NFKD", word.casefold())
    return "".join(sign for sign in signs if sign.isalnum()).replace("ø", "o")


WORDS = frozenset(map(plain, f"{_SIDES} {_VIEWS} {_POSITIONS} {_DEVICES}".split()))
"""As technicians place them and devices print them, in several languages."""


def identifies(lines: Sequence[str]) -> bool:
    """Return whether the words read in one place of a film may identify a person.

    Args:
        lines: the text of each line. It is neither kept nor logged.
    """
    texts = [unicodedata.normalize("NFKC", line) for line in lines]
    if any(map(_DATE.search, texts)):
        return True
    unknown = [word for text in texts for word in _WORD.findall(_CLOCK.sub(" ", text)) if not is_marker(word)]
    return any(not is_short(word) for word in unknown) or len(unknown) > MOST_SHORT


def is_marker(word: str) -> bool:
    """Return whether a word is in the lists, or some words of the lists without a space between them."""
    letters = plain(word)
    return letters.strip(_TICKS) == "" or any(
        read in WORDS or _joined(read) or _cut(read) or _misread(read)
        for read in (letters, letters.translate(_CONFUSED))
    )


def _misread(word: str) -> bool:
    """Return whether a word is a long word of the lists with one other letter in each :data:`LETTERS_PER_ERROR`."""
    most = len(word) // LETTERS_PER_ERROR
    alike = (known for known in WORDS if most and len(known) == len(word))
    return any(sum(a != b for a, b in zip(known, word, strict=True)) <= most for known in alike)


def _cut(word: str) -> bool:
    """Return whether a word is a word of the lists without its first or last letters, as at the edge of a film."""
    return len(word) >= SHORTEST_CUT and any(
        known.startswith(word) or known.endswith(word) for known in WORDS if len(known) <= len(word) + MOST_CUT
    )


def is_short(word: str) -> bool:
    """Return whether a word can be a technician's initials, or a number that a device prints."""
    letters = "".join(sign for sign in word if sign.isalnum())
    return _SETTING.fullmatch(word) is not None or len(letters) <= (INITIALS if letters.isascii() else 1)


def _joined(word: str) -> bool:
    """Return whether a word is two or three words of the lists, one of them a long one."""
    for cut in range(1, len(word)):
        head, tail = word[:cut], word[cut:]
        if min(len(head), len(tail)) == 1 and not {head, tail} & {"l", "r"}:
            continue
        if head in WORDS and max(cut, len(tail)) >= SHORTEST_LONG and (tail in WORDS or _joined(tail)):
            return True
    return False
