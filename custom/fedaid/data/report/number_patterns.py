"""Contacts, identifying numbers of people, records and devices, and addresses in the text of a report."""

from __future__ import annotations

from fedaid.data.report.date_patterns import NO_MEASURE

_NUMBER = r"(?:number|num\.?|no\.?|nr\.?|id|#)"
_IS = r"\s{0,3}(?:is |was )?[:#=]?\s{0,3}"
_VALUE = r"(?P<x>(?=[\w./-]{0,40}\d)[A-Za-z0-9](?:[\w./-]{0,40}\w)?(?: \d{2,10}){0,3})(?!\w)"
_RECORD = (
    r"mrn|mr ?#|medical record|accession|acc(?:ession)?\.? ?(?:#|no\.?)|acct\.? ?#?|dea|npi|hicn|nhs|nhc|ipp|bsn|vin"
    r"|fallnummer|fall-?nr\.?|patientennummer|pat\.?-?(?:id|nr)\.?|auftragsnummer|dossier"
    r"|numéro de dossier|dossiernummer"
)
_NUMBERED = (
    r"account|patient|pt|study|case|order|visit|encounter|chart|exam|specimen|requisition|policy|member"
    r"|subscriber|group"
    r"|beneficiary|insurance|plan|medicare|medicaid|licen[sc]e|certificate|registration|passport|hospital|plate|vehicle"
    r"|contract|claim|invoice|job|dictation|document|report|security|ss"
)
_DEVICE = r"serial|lot|batch|model|device|catalog(?:ue)?|ref|implant|generator|pacemaker|udi"

CONTACTS = {
    "EMAIL": (r"[\w.+-]{1,64}\s?@\s?[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}",),
    "URL": (
        r"(?i:\b(?:https?|ftp)://[^\s\])>]{0,500}[^\s\])>.,;:])",
        r"(?i:\bwww\.[\w.-]{0,250}\w(?:/(?:[^\s\])>]{0,250}[^\s\])>.,;:])?)?)",
        r"(?i:(?<![\w@.])[\w-]{1,63}(?:\.[\w-]{1,63}){0,3}\.(?:com|org|net|edu|gov|info)\b(?:/"
        r"(?:[^\s\])>]{0,250}[^\s\])>.,;:])?)?)",
    ),
    "IP": (
        r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.]\d|\d)",
        r"(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){3,7}[0-9A-Fa-f]{1,4}(?![\w:])",
        r"(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){1,6}:(?:[0-9A-Fa-f]{1,4}:){0,5}[0-9A-Fa-f]{1,4}(?![\w:])",
    ),
}

NUMBERS = {
    "DEVICE": (rf"(?i:\b(?:{_DEVICE}) ?{_NUMBER}|\bs/n|\bsn(?=[:#])|\bserial(?=[: ])){_IS}{_VALUE}",),
    "SSN": (
        r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])",
        rf"(?i:\bssn){_IS}(?P<x>\d{{3}}[ -]?\d{{2}}[ -]?\d{{4}}|\d{{4}})(?!\w)",
    ),
    "ID": (
        rf"(?i:\b(?:{_RECORD})(?: ?{_NUMBER})?){_IS}{_VALUE}",
        rf"(?i:\b(?:{_NUMBERED}) ?{_NUMBER}){_IS}{_VALUE}",
        r"(?<![\w.])\d{1,20}(?:\.\d{1,40}){4,20}(?![\w.]\d)",
        r"\b(?=[A-HJ-NPR-Z\d]{0,16}\d)(?=\d{0,16}[A-HJ-NPR-Z])[A-HJ-NPR-Z\d]{17}\b",
        r"\b[A-Z]{1,3}\d{2}-\d{3,10}\b",
        r"\b[A-Z]{2,5}-?\d{5}\b",
    ),
    "PHONE": (
        r"(?<![\w.])(?:\+?1[-. ]?)?(?:\(\d{3}\)\s?|\d{3}[-./ ])\d{3}[-. ]\d{4}"
        r"(?:,?\s?(?:x|ext\.?|extension)\s?\d{1,6})?(?!\w)",
        r"(?<!\w)(?:\+|00)\d{1,3}(?:[\s()./-]{0,2}\d){7,13}(?!\w)",
        r"(?i:\b(?:tel(?:efon|ephone|éfono|efoon|\.)?|phone|fax|pager|beeper|mobile|ext(?:ension|\.)?|hotline|tél\.?)"
        rf"(?: ?{_NUMBER})?\s{{0,2}}(?:at )?[:#]?\s{{0,2}})(?P<x>[+(]?\d[\d\s()./-]{{1,20}}\d)(?!\w)",
        rf"(?<![\w.-])[2-9]\d{{2}}-\d{{4}}(?![\w-]){NO_MEASURE}",
        r"\bx\d[\d-]{3,6}\b",
    ),
}

_STATES = (
    "A[LKZR]|C[AOT]|D[CE]|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOT]|N[EVHJMYCD]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[TA]|W[AVIY]"
)
_STREET = (
    r"(?:(?:Street|Avenue|Road|Boulevard|Lane|Drive|Court|Place|Parkway|Highway|Square|Terrace|Way)\b"
    r"|(?:St|Ave|Rd|Blvd|Ln|Pkwy|Hwy)\b\.?)"
)
_CITY = rf"(?:,? (?:[A-Z][\w'’.-]{{1,20}} ?){{1,3}},? (?:{_STATES})(?: \d{{5}}(?:-\d{{4}})?)?)?"

ADDRESSES = {
    "ADDRESS": (
        rf"(?<![\w.])\d{{1,5}} (?:[NSEW]\.? )?(?:[A-Z][\w'’-]{{1,20}} ){{1,3}}{_STREET}"
        rf"(?:,? (?:Apt|Suite|Ste|Unit|Floor)\.? ?#?\w{{1,5}})?{_CITY}",
        rf"(?i:\bp\.? ?o\.? box \d{{1,6}}){_CITY}",
        r"\b[A-ZÄÖÜ][\w-]{1,30}(?:straße|strasse|str\.|gasse|allee|straat|laan|plein) \d{1,4}[a-z]?\b"
        r"(?:,? \d{4,5} [A-Z]\w{1,20})?",
        r"(?<!\w)\d{1,4}(?: bis)?,? (?i:rue|avenue|boulevard|place) (?:d[eu]s? |de la "
        r"|de l['’])?[A-Z][\w'’-]{1,25}(?:,? \d{5} [A-Z]\w{1,20})?",
        r"\b(?i:calle|avenida|c/) ?(?:de |del |la ){0,2}[A-ZÁÉÍÓÚ][\w-]{1,25},? ?(?:n[º.]\.? ?)?\d{1,4}\b",
        r"(?i:\b(?:lives|living|resides|residing|resident) (?:in|of|at) )(?P<x>[A-Z][\w'’-]{1,20}"
        r"(?:,? [A-Z][\w'’-]{1,20}){0,3})",
    ),
    "ZIP": (
        r"(?<![\w.-])\d{5}-\d{4}(?![\w-])",
        rf"\b(?:{_STATES}),? (?P<x>\d{{5}})(?!\w)",
        r"(?i:\bzip(?: ?code)?)[: ]{1,2}(?P<x>\d{5}(?:-\d{4})?)(?!\w)",
    ),
}

LONG_RUNS = {"ID": (r"\w{0,12}\d{6,}\w{0,40}", r"(?<![\w.])(?=[\d-]{9})\d{2,}(?:-\d{2,}){2,8}(?!\w|\s?[a-zµμ]{1,4}/)")}
"""Applied last: no measurement in a report has six digits in a row."""
