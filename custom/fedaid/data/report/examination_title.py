"""Recognises the name of the examination as a heading of the findings: "CHEST, PA AND LATERAL: The lungs are clear."

A title consists only of words that name an examination of the chest, in five languages.
"""

from __future__ import annotations

import re

_CORE = r"chest|thora[xc]\w{0,5}|t[oó]rax|cxr|x-thorax|thoraxfoto|\w{0,8}thorax\w{0,10}|pulmona(?:ire|r)"
_WORDS = (
    r"[xcd]r|f ?\+ ?p|rx|rö|x-?rays?|x-thorax|radiographs?|radiographic|radiography|radiographies?|roentgenograms?"
    r"|films?|plain|portable"
    r"|bedside|mobile|digital|conventional|upright|erect|supine|semi-?(?:erect|upright)|sitting|standing"
    r"|p\.? ?a\.?|a\.? ?p\.?|lat\.?|lateral|ll|frontal|(?:antero|postero)-?(?:anterior|posterior)|decubitus"
    r"|lordotic|oblique"
    r"|left|right|views?|vws?|v|images?|projections?|single|one|two|three|four|[1-4]|exam|examination|study"
    r"|imaging|routine"
    r"|limited|complete|series|inspiratory|expiratory|only|ribs?|abdomen|ct|hrct|mri?|without|iv|contrast|and"
    r"|with|of|the"
    r"|an?|in|for|on|computed|direct"
    r"|r(?:ö|oe)ntgen\w{0,14}|\w{0,8}aufnahmen?|seitlich\w{0,2}|seit(?:lich)?bild|stehend|liegend|sitzend|im"
    r"|des|der|zwei|einer"
    r"|ebenen?|konventionelle[sr]?|und|bettlunge"
    r"|radios?|clichés?|face|profil|debout|couché|au|lit|incidences?|deux|du|de|et|la|le"
    r"|radiografía|radiografia|placa|simple|portátil|portatil|proyecciones|posteroanterior|anteroposterior|dos"
    r"|en|decúbito"
    r"|bipedestación|del|y"
    r"|lateraal|frontaal|zijdelings|latérale?|frontale?|r(?:ö|oe)ntgenfoto|foto|longen|van|het|een|voor-?achterwaartse|dwarse|laterale|opname|staand|twee|richtingen"
)
_DATE = r"\[[A-Z]{2,12}\]|\d{1,4}(?:[./:-]\d{1,4}){1,3}|dated|at|hrs?|vom|am|pm"
_TOKEN = rf"(?:{_CORE}|{_WORDS}|{_DATE})"
_ORGANS = re.compile(
    r"^[*_#=•>-]{0,6} ?(?:lungs?|pleura|heart|cardiac|mediastin\w{1,5}|cardiomediastin\w{1,5}|airways?|trachea|hila"
    r"|bones?|osseous|skelet\w{1,6}|soft tissues?|diaphragms?|(?:support )?(?:devices|lines|tubes)"
    r"|lungen?|herz|zwerchfell|knochen|pleuren|poumons?|c(?:œ|oe)ur|médiastin|plèvres?|squelette|os|pulmones|pulmón"
    r"|corazón|mediastino|huesos|longen|hart|botten)"
    r"(?:(?: ?[/,&] ?| )(?:and|und|et|y|en|structures?|silhouette|size|spaces?|parenchyma|tubes?|lines?|devices"
    r"|pleural?|mediastinum|heart|lungs?|bones|hila|contours?|wall|chest|soft|tissues?)){0,5} ?:",
    re.IGNORECASE | re.MULTILINE,
)
_SENTENCE = (  # a word that begins a sentence behind the title, as in "PORTABLE CHEST The left lung"
    rf"(?!(?-i:The|An?|In|On|Left|Right|Ribs?) (?!(?:{_CORE}|lateral|decubitus|erect|supine|upright|two|2)(?!\w)))"
)
_TITLE = re.compile(
    r"^[*_#=•>-]{0,6} ?(?:\d{1,2}[.)] ?)?(?P<exam>(?:exam(?:ination)?|study|procedure|untersuchung|examen|exploración"
    r"|estudio|onderzoek) ?: ?)?"
    rf"(?=[^\n:]{{0,80}}?(?<!\w)(?:{_CORE})(?!\w))"
    rf"(?P<name>(?<!\w){_TOKEN}(?:(?: ?[,/&()+–-] ?| )(?:\(|& )?{_SENTENCE}{_TOKEN}(?!\w)){{0,15}}\)?)(?!\w)"
    r"[*_#=]{0,6}"
    r"(?: ?[:：][*_#=]{0,6}| [-–—](?= )|(?P<stop>\.(?= \S))|(?P<bare>$)|(?P<run>(?= \w)))",
    re.IGNORECASE | re.MULTILINE,
)


def first_organ(text: str) -> int | None:
    """Return where the first heading of an organ begins, such as "Lungs and pleura:", or None."""
    match = _ORGANS.search(text)
    return match.start() if match else None


def titles(text: str) -> list[re.Match[str]]:
    """Return the titles of a text that have text below or behind them, in order.

    A title without a colon needs a capital. It stands alone on its line below an empty line, before a stop, or in
    capitals before a sentence. Group `name` is the title.
    """
    return [match for match in _TITLE.finditer(text) if _stands(match, text)]


def _stands(match: re.Match[str], text: str) -> bool:
    name, before = match["name"], text[: match.start()]
    if match["exam"] is not None and match["stop"] is None and not name.endswith("."):
        return False
    following = text[match.end() :].lstrip(" ")[:2]
    if match["run"] is not None:
        return name.isupper() and following.istitle() and following.isalpha()
    if match["bare"] is not None:
        return not name[0].islower() and (not before or before.endswith("\n\n"))
    return match["stop"] is None or (not name[0].islower() and following[:1].isupper())
