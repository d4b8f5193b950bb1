"""What a report's status says: words in five languages, HL7's codes, or a banner in the report itself."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from enum import IntEnum

Moment = tuple[str, float]


class Standing(IntEnum):
    """How far a version of a report has come; of two, the higher one counts."""

    WITHDRAWN = 0
    PRELIMINARY = 1
    FINAL = 2
    AMENDED = 3
    ADDENDUM = 4


_WORDS = {
    Standing.WITHDRAWN: (
        "x|d|w|cancell?ed|deleted|removed|withdrawn|retracted|void(?:ed)?|entered[ -]in[ -]error|wrong|superseded"
        "|rejected|storniert|geloscht|ungultig|zuruckgezogen|annulee?|supprimee?|anulad[oa]|eliminad[oa]|geannuleerd"
        "|verwijderd|ingetrokken"
    ),
    Standing.PRELIMINARY: (
        "p|r|s|i|prelim(?:inary)?|provisional|draft|interim|partial|pending|unverified|unsigned|unapproved|dictated"
        "|transcribed|wet read|in progress|resident|not (?:final|verified|signed)|vorlaufig(?:er)?|entwurf|diktiert"
        "|nicht (?:freigegeben|validiert)|vorbefund|provisoire|preliminaire|brouillon|dictee?|non (?:validee?|signee?)"
        "|preliminar|provisional|borrador|pendiente|sin (?:firmar|validar)|no (?:firmado|validado)|voorlopig|concept"
        "|niet geautoriseerd"
    ),
    Standing.FINAL: (
        "f|u|final(?:i[sz]ed)?|verified|signed(?: off)?|approved|completed?|authenticated|validated|authori[sz]ed"
        "|released|published|endgultig(?:er)?|endbefund|freigegeben|vidiert|validiert|signiert|abgeschlossen"
        "|final freigegeben"
        "|definiti(?:f|ve|vo|va)|validee?|signee?|firmad[oa]|validad[oa]|finalizad[oa]|definitief"
        "|geautoriseerd|afgerond"
        "|ondertekend"
    ),
    Standing.AMENDED: (
        "c|amended|corrected|revised|modified|updated|correction|amendment|changed|re-?issued"
        "|korrigiert(?:er)?|geandert"
        "|berichtigt|revidiert|corrigee?|rectifiee?|modifiee?|revisee?|corregid[oa]|rectificad[oa]"
        "|modificad[oa]|revisad[oa]"
        "|gecorrigeerd|gewijzigd|herzien"
    ),
    Standing.ADDENDUM: (
        "addend(?:um|a|ed)|nachtrag|nachbefund|nachbericht|zusatzbefund|erganzung|complement|additif|adenda|anexo"
        "|ampliacion|aanvulling|naschrift"
    ),
}
_SUBJECT = "(?: ?(?:report|version|result|befund|bericht|compte[ -]rendu|informe|verslag|status|read))?"
_BEFORE = "(?:(?:report|result|befund|compte[ -]rendu|informe|verslag|status)[ :-]{1,2})?"
_STANDINGS = {
    standing: re.compile(rf"{_BEFORE}(?:{words}){_SUBJECT}", re.IGNORECASE) for standing, words in _WORDS.items()
}
_BANNER_LINES, _LONGEST_BANNER = 6, 60
_EDGES = " \t*_=#-–—.:;!()[]"


def standing_of(status: str) -> Standing | None:
    """Return what a status says, or None for an unknown one, such as "A"."""
    words = _plain(status).strip(_EDGES)
    return next((standing for standing, pattern in _STANDINGS.items() if pattern.fullmatch(words)), None)


def standing_in(report: str) -> Standing | None:
    """Return what a banner among the first lines of a report says, or None: "*** PRELIMINARY REPORT ***"."""
    for line in report.strip().splitlines()[:_BANNER_LINES]:
        words = line.strip(_EDGES)
        if 3 < len(words) <= _LONGEST_BANNER and words[0].isupper() and (standing := standing_of(words)) is not None:
            return standing
    return None


def moment_of(written: str) -> Moment | None:
    """Return a date, a time or the number of a version for comparison with others of its kind; None if it is unclear.

    A date in figures whose day and month could be exchanged is unclear, except with dots, where the day comes first.
    Two times of one such date can be compared.
    """
    text = written.strip()
    if (
        day := re.fullmatch(r"(\d{1,2}/\d{1,2}/\d{2,4}),? (\d{1,2}):(\d{2})(?::(\d{2}))?( ?[AaPp][Mm])?", text)
    ) is not None:
        hour = int(day[2]) % 12 + 12 * ("p" in day[5].lower()) if day[5] else int(day[2])
        return day[1], hour * 3600.0 + int(day[3]) * 60 + int(day[4] or 0)
    if re.match(r"\d{4}/", text):
        text = text.replace("/", "-")
    if re.fullmatch(r"\d{8}(?:\d{2}){0,3}(?:\.\d{1,4})?(?:[+-]\d{4})?", text):
        return "date", float(re.split(r"[.+-]", text)[0].ljust(14, "0"))
    if re.fullmatch(r"[vV]?\.? ?\d{1,4}(?:\.\d{1,3})?", text):
        return "version", float(text.lstrip("vV. "))
    for pattern in ("", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y"):
        try:
            found = datetime.strptime(text, pattern) if pattern else datetime.fromisoformat(text)
        except ValueError:
            continue
        return "date", float(found.strftime("%Y%m%d%H%M%S"))
    return None


def _plain(words: str) -> str:
    letters = unicodedata.normalize("NFKD", " ".join(words.casefold().split()))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
