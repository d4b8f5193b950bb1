"""Identifying numbers of people, records and devices in the text of a report.

The shape decides, and never a check digit, because a mistyped number identifies a person too. Therefore python-stdnum,
which is also under the LGPL, is no help here.
"""

from __future__ import annotations

from fedaid.data.report.identifiers.rule import NO_MEASURE, rules

_NUMBER = r"(?:number|num\.?|no\.?|nr\.?|n[º°]\.?|id|#|nummer|numéro|numero|número)"
_IS = r"\s{0,3}(?:is |was )?[:#=]?\s{0,3}"
_VALUE = r"(?P<x>(?=[\w./-]{0,40}\d)[A-Za-z0-9](?:[\w./-]{0,40}\w)?(?: \d{2,10}){0,3}(?: \d{1,2}(?=[.,;\n]|$))?)(?!\w)"
_GROUPS = (
    r"(?P<x>(?=[\w ./-]{0,40}\d)[A-Z]{0,4}[ -]?\d[\dA-Z./-]{0,30}(?: [\dA-Z./-]{1,12}(?<=[\d])"
    r"| [A-Z]{1,3}(?= \d))*[A-Z]?)(?!\w)"
)
_RECORD = (
    r"mrn|mr ?#|medical record|accession|acc(?:ession)?\.? ?(?:#|no\.?)|acct\.?|acct\.? ?#?|dea|npi|hicn|nhs|chi"
    r"|nhc|ipp|bsn|vin"
    r"|nino?|ni|nir|dni|nie|nif|nuss|cip|tsi|ahv(?:-?nr\.?)?|kvnr|avs|pps|ppsn|rijksregister(?:nummer)?"
    r"|burgerservice"
    r"|fallnummer|fall-?nr\.?|patientennummer|pat\.?-?(?:id|nr)\.?|auftragsnummer|auftrags-?nr\.?|dossier"
    r"|numéro de dossier|dossiernummer|patiënt(?:en)?nummer|versicherten(?:nummer|-?nr\.?)|vers\.?-?nr\.?"
    r"|svnr\.?|sv-nr\.?"
    r"|krankenkassen-?nr\.?|aufnahme-?(?:nummer|nr\.?)|sozialversicherungs-?(?:nummer|nr\.?)|röntgen-?nr\.?"
    r"|historia(?: clínica)?(?: n[º°]| núm\.?)|sécurité sociale|sip|inss?|iep|polis(?:nummer)?"
    r"|opname-?nr\.?"
)
_NUMBERED = (
    r"account|patient|pt|study|case|order|visit|encounter|chart|exam|specimen|requisition|policy|member"
    r"|subscriber|group|hosp(?:ital)?|unit record|badge|booking|episode|referral|clinic|ward|bed"
    r"|beneficiary|insurance|plan|medicare|medicaid|licen[sc]e|certificate|registration|passport|plate|vehicle"
    r"|contract|claim|invoice|job|dictation|document|report|security|ss|driver['’]?s licen[sc]e|prison(?:er)?"
    r"|inmate|service"
)
_DEVICE = (
    r"serial|lot|batch|model|device|catalog(?:ue)?|ref|implant|generator|pacemaker|udi|serien|geräte|chargen"
    r"|seriale?|série"
    r"|serie|lote?|modelo|serienummer|apparaat"
)

NUMBERS = (
    *rules(
        "DEVICE",
        rf"(?i:\b(?:{_DEVICE})[- ]?(?:{_NUMBER})|\bs/n|\bsn(?=[:#])|\bserial(?=[: ])|\bn[º°] de s[ée]rie){_IS}{_VALUE}",
        hints="serial|lot|batch|model|device|catal|ref|implant|generator|pacemaker|udi|s/n|sn|serie|gerät|charg"
        "|série|apparaat",
    ),
    *rules(
        "DEVICE",
        rf"(?:\b(?:S/?N|s/n|S\. ?N\.|[Ss]erial|SERIAL|[Ss]er\.(?:-?[Nn]r\.?)?|Seriennr\.|LOT|REF|[nN][º°o.] ?"
        rf"(?:de )?s[ée]rie)(?!\w)[:#.]?){_IS}{_GROUPS}",
        r"\b[Ll](?:ot|ote) (?P<x>(?=[\w-]*[A-Z-])(?=(?:[\w-]*?\d){3})\w[\w-]{3,20})(?!\w)",
        hints="sn|s/n|s.|ser|sér|lot|ref",
    ),
    *rules(
        "SSN",
        r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])",
        rf"(?i:\bssn(?: end(?:s|ing)(?: (?:in|with))?)?){_IS}(?P<x>\d{{3}}[ -]?\d{{2}}[ -]?\d{{4}}|\d{{4}})(?!\w)",
    ),
    *rules(
        "ID",
        rf"(?i:\b(?:{_RECORD})(?:[- ]?{_NUMBER})?){_IS}{_VALUE}",
        rf"(?i:\b(?:{_RECORD})(?:[- ]?{_NUMBER})?){_IS}{_GROUPS}",
        starts=_RECORD,
    ),
    *rules("ID", rf"(?i:\b(?:{_NUMBERED}) ?{_NUMBER}){_IS}{_VALUE}", starts=_NUMBERED),
    *rules(
        "ID",
        r"(?i:\bn[º°] ?(?:de )?(?:historia|expediente|dossier|sécurité sociale|ss|iep|séjour|afiliación)(?: clínica)?)"
        rf"{_IS}{_VALUE}",
        hints="nº|n°",
    ),
    *rules(
        "ID",
        rf"(?i:\b(?:prisoner|inmate|convict|detainee|häftling|gefangener|détenue?|écrou|pres[oa]|reclus[oa]"
        rf"|gedetineerde)"
        rf"(?: ?{_NUMBER})?){_IS}{_VALUE}",
        r"(?<![\w.])\d{1,20}(?:\.\d{1,40}){4,20}(?![\w.]\d)",
        r"\b(?=[A-HJ-NPR-Z\d]{0,16}\d)(?=\d{0,16}[A-HJ-NPR-Z])[A-HJ-NPR-Z\d]{17}\b",
        r"\b[A-Z]{1,3}\d{2}-\d{3,10}\b",
        r"\b[A-Z]{2,5}-?\d{5}\b",
        r"\b(?!(?:HU|WW|WL|CT|MR|XR|US|CR|DR|DX|TH|TE|TR|TI|KV|IV|SE|IM|COVID|SARS|CA|PO|PA"
        r"|AP)-?\d{4}\b)[A-Z]{2,5}-?\d{4}\b",
    ),
    *rules(
        "ID",
        r"(?i:\b(?:hospital|hosp\.?|unit|chart|ward|file|case|patient|akte|zimmer|station|bett|habitación|cama"
        r"|chambre|lit"
        r"|kamer|bed)(?: (?:no\.?|number|nr\.?|n[º°]))\s?:?\s?)(?P<x>[A-Z]{0,4}\d[\w/-]{0,12})",
        hints=" no|number| nr| n",
        starts="hospit|hosp|unit|chart|ward|file|case|patien|akte|zimmer|statio|bett|habita|cama|chambr|lit|kamer|bed",
    ),
)
"""The rules of numbers that a cue announces, and of some shapes."""

SHAPES = (
    *rules(
        "SSN",
        r"\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]\b",
        r"(?<![\w.,/-])[12] ?\d\d ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d\d"
        r"|2[AB]) ?\d{3} ?\d{3}(?: ?/? ?\d\d)?(?![\w.,]\d|\w)",
        r"(?<![\w.,/-])\d\d[. ]?(?:0[1-9]|1[0-2])[. ]?(?:[0-2]\d|3[01])[- ]\d{3}[. ]\d\d(?!\w)",
        r"(?<![\w.])756[. ]\d{4}[. ]\d{4}[. ]\d\d(?!\w)",
    ),
    *rules(
        "ID",
        r"(?<![\w-])(?=(?:[\dA-Z]{0,20}-){2})(?=[\dA-Z-]{0,40}[A-Z])(?=(?:[A-Z-]{0,20}\d){4})[\dA-Z]{1,12}(?:-[\dA-Z]{1,12}){2,6}"
        r"(?![\w-])",
        r"(?<![\w-])(?=[\d-]{0,20}[A-Z])[A-Z]{1,3}-\d{2,5}-\d{2,8}(?![\w-])",
        rf"(?<![\w.,/-])(?=(?:[ ]?\d){{9}})\d{{1,6}}(?: \d{{1,6}}){{2,8}}[A-Z]?(?![\w/]|[.,]\d){NO_MEASURE}",
        r"\b[A-Z]\d{2,4}(?: \d{2,4}){2,4}\b",
    ),
)
"""The rules of national numbers, and of digits in groups. Those of dates and telephones go first."""

LONG_RUNS = rules(
    "ID",
    r"\w{0,12}\d{6,}\w{0,40}",
    r"(?<![\w.])(?=[\d-]{9})\d{2,}(?:-\d{2,}){2,8}(?!\w|\s?[a-zµμ]{1,4}/)",
    r"(?<=\[ID\][-/ ])\d[\w/-]{0,12}(?!\w|[.,]\d| ?(?:mm|cm))",
)
"""Applied last: no measurement in a report has six digits in a row."""
