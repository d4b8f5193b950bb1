"""The view that a few words name, such as "Thorax p.a." or "Rx tórax perfil": closed lists of words of many languages.

The words are read and matched, and never kept. A text that names a frontal and a lateral view, or the number of views,
describes an examination; it names no view of a film.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

LONGEST = 256
"""Characters of a description that are read."""

_WORDS: tuple[tuple[str, str], ...] = (
    ("PA", "pa posteroanterior posteroanteriore posteroanterieur posteroanterieure dorsoventral achtervoorwaarts "
           "tylnoprzednie tylnoprzednia zadopredni zadoprednia заднепередняя заднепередней задняпередняя "
           "οπισθοπροσθια posteroanteriorna posteroanteriorni dv"),
    ("AP", "ap anteroposterior anteroposteriore anteroposterieur anteroposterieure ventrodorsal voorachterwaarts "
           "przednotylne przedniotylne predozadni predozadna переднезадняя переднезадней προσθιοπισθια"),
    ("FRONTAL", "frontal frontale frontales frontalis frontaal frontalna frontalni frontalt frontalbild "
                "frontalaufnahme front vooraanzicht face faces frente frontalansicht przednie przednia przedni "
                "fata thang etukuva etu depan otse "
                "прямая прямой прям передняя передней пряма прямий фас tiesine قدامي امامي"),
    ("LATERAL", "lateral laterale laterales lateralis lateralt lateralaufnahme lateralbild lat latl latt llat rlat "
                "ll rl laterolateral laterolaterale lateraal profil profilo profils perfil profilna profilni profilul "
                "profilaufnahme seitlich seitliche seitlicher seitl seit seitenaufnahme seitenbild seitansicht "
                "dwars dwarse zijdelings zijdelingse zijaanzicht sidobild sidebild sidebilde sidebillede sideoptak "
                "sivukuva sivu boczne boczna boczny bok bocna bocni bocny oldaliranyu oldal oldalfelvetel yan yandan "
                "nghieng stranska stranski samping kulgvaade sonine боковая боковой боков бок бокова бічна бічній "
                "профиль профил πλαγια προφιλ צד جانبي xtl crosstable crosstablelat crosstablelateral "
                "leftlateral rightlateral lateralleft lr side sideview sida seite zij profiel transversal "
                "linksanliegend rechtsanliegend anliegend"),
    ("DECUBITUS", "decubitus decub decubito lld rld ddl dcub liegendseitlage"),
    ("OBLIQUE", "oblique obliques obliq obl oblicua oblicuo obliqua obliquo oblikk schrag schraeg schragaufnahme "
                "skosne skos rao lao rpo lpo косая косой"),
    ("LORDOTIC", "lordotic lordotique lordotica lordotico lordose lordosis apical apikal apicogram apicolordotic "
                 "spitzenaufnahme lungenspitzen apicale apices"),
    ("SWIMMERS", "swimmer swimmers schwimmer nageur nadador nuotatore zwemmer zwemmers"),
    ("BOTH", "palat aplat patlat latpa latap pall biplan biplane tweerichtingen прямаяибоковая"),
)  # fmt: skip
_INSIDE: tuple[tuple[str, str], ...] = (
    ("BOTH", "正侧 正側 正面側面 정측"),
    ("PA", "后前 後前 背腹 후전"),
    ("AP", "前后 前後 腹背 전후"),
    ("FRONTAL", "正位 正面 정면"),
    ("LATERAL", "侧位 側位 侧面 側面 측면 側像"),
    ("OBLIQUE", "斜位"),
)
"""Of scripts without spaces: they are found within a text."""
_BODY = re.compile(
    "rtg|rontgen|thorax|thoracic|thorakal|thx|torax|torace|chest|cxr|lungen|lunge|lungs|lung|brust|xray|rx|adult"
    r"|portable|\d+x\d+|^cr|^c[hx](?=(?:pa|ap|lat|ll)\d*$)"
)
"""What is written together with a view: a part of the body, a size of a cassette."""
_SUPINE = frozenset(("supino", "supine", "supina", "dorsal", "dorsale", "dorsalis", "ventral", "prono", "prone"))
_SEVERAL = re.compile(
    r"\b(?:[2-6]|two|three|zwei|drei|deux|trois|dos|tres|due|tre|duas|twee|dwie|два|две|двух)\s?"
    r"(?:views?|vws?|v|ebenen|eb|incidences?|incidencias?|proyecciones|projections?|proiezioni|projecoes|projekcje|"
    r"projekce|posiciones|posicoes|positions?|richtingen|planes?|plans?|images?|films?|projeksjoner|projektioner|"
    r"проекци\w*)\b"
)
_FRONTAL = frozenset(("PA", "AP", "FRONTAL"))
_OTHERS = ("SWIMMERS", "DECUBITUS", "LORDOTIC", "OBLIQUE")


def named_view(text: str) -> str:
    """Return the view that a description of a film names; empty if it names none or several.

    Returns:
        "PA", "AP", "FRONTAL", "LATERAL", "OBLIQUE", "DECUBITUS", "LORDOTIC", "SWIMMERS" or an empty text.
    """
    found = next((seen for reading in _readings(text[:LONGEST]) if (seen := _views(_folded(reading)))), set())
    frontal, other = found & _FRONTAL, next((view for view in _OTHERS if view in found), "")
    if "BOTH" in found or (frontal and "LATERAL" in found):
        return ""
    if other:
        return other
    if not frontal:
        return "LATERAL" if found else ""
    stated = frontal - {"FRONTAL"}
    return stated.pop() if len(stated) == 1 else "FRONTAL"


def _readings(text: str) -> Iterator[str]:
    """The text, and what its bytes say if the file does not declare their character set."""
    yield text
    if not text.isascii():
        for encoding in ("utf-8", "gb18030", "cp1251", "shift_jis"):
            try:
                yield text.encode("latin-1").decode(encoding)
            except UnicodeError:
                continue


def _folded(text: str) -> str:
    """The text in lower case and without accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


_VIEW_OF = {_folded(word): view for view, words in _WORDS for word in words.split()}
_PARTS = [(_folded(part), view) for view, parts in _INSIDE for part in parts.split()]


def _views(folded: str) -> set[str]:
    """The views that a folded text names; "BOTH" for an examination of several views."""
    words = re.findall(r"[^\W_]+", folded)
    found = {view for one in (*words, *_pairs(words)) if (view := _VIEW_OF.get(one) or _glued(one))}
    found |= {view for part, view in _PARTS if part in folded}
    if "BOTH" not in found and _SEVERAL.search(" ".join(words)):
        found.add("BOTH")
    if not _SUPINE.isdisjoint(words):
        found.discard("DECUBITUS")
    return found


def _pairs(words: list[str]) -> Iterator[str]:
    """Neighbouring words as one: "p. a." is "pa", "postero-anterior" is one word."""
    for first, second in pairwise(words):
        if len(first) == len(second) == 1 or len(first) > 3:
            yield first + second


def _glued(word: str) -> str:
    """The view in a word with digits or the body part: "chestpa", "lat2"."""
    bare = _BODY.sub("", word).strip("0123456789")
    return _VIEW_OF.get(bare, "") if bare != word else ""
