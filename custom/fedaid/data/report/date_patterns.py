"""Dates, times and ages above 89 in the text of a report, as regular expressions.

A year alone stays, as Safe Harbor allows. :data:`NO_MEASURE` keeps measurements: it is what must not follow a number.
All quantifiers are bounded or over one class, so matching takes linear time.
"""

from __future__ import annotations

NO_MEASURE = (
    r"(?!\s?(?:mm|cm|m|ml|mL|cc|L|HU|kVp?|mAs?|mGy|mSv|ms|kg|g|mg|Fr|French|gauge|mmHg|degrees|bpm|days?"
    r"|weeks?|months?)\b"
    r"|\s?[%°x×*]|[.,]\d)"
)

_DAY, _MONTH = r"(?:3[01]|[12]\d|0?[1-9])", r"(?:1[0-2]|0?[1-9])"
_YEAR, _ANY_YEAR = r"(?:19|20)\d{2}", r"(?:(?:19|20)\d{2}|['’]?\d{2})"
_ENGLISH = "January|February|March|April|May|June|July|August|September|October|November|December"
_FULL = (
    "january|february|march|april|june|july|august|september|october|november|december|januar|jänner|februar|märz"
    "|juni|juli|oktober|dezember|janvier|février|fevrier|mars|avril|juin|juillet|août|aout|septembre|octobre|novembre"
    "|décembre|decembre|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre"
    "|januari|februari|maart|mei|augustus"
)
_SHORT = "Jan|Feb|Mar|Apr|May|Mai|Jun|Jul|Aug|Sept|Sep|Oct|Okt|Nov|Dec|Dez|Ene|Abr|Dic|Mrz"
_UPPER = "JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEPT|SEP|OCT|NOV|DEC"
_NAMED = rf"(?:(?i:{_FULL})(?![^\W\d_])|(?:{_SHORT}|{_UPPER})(?![^\W\d_])\.?)"
_NAMED_ANY_CASE = rf"(?:(?i:{_FULL})(?![^\W\d_])|(?i:{_SHORT})(?![^\W\d_])\.?)"
_ORDINAL = r"(?:st|nd|rd|th|er|\.|º)?"
_NOT_IN_NUMBER = r"(?<![\w.,])(?<!\d[-/])"
_CUE = (
    r"(?i:\b(?:on|dated?|dd|d\.d\.|from|since|until|till|through|as of|prior|previous|comparison|comparison (?:to|with)"
    r"|compared (?:to|with)|versus|vs\.?|(?:exam(?:ination)?|study|film|radiographs?|x-?ray|cxr|ct)(?: of)?"
    r"|am|vom|seit|le|du|el|del|op)[: ]{1,2})"
)
_NO_PART = r"(?!\s?(?:of|views?|images?|series|slices?|ribs?|zones?|lobes?|thirds?|lungs?|quadrants?)\b)"
_MERIDIEM = r"[ap](?:m|\.m\.?)(?!\w)"
_CLOCK = r"(?:hrs?|hours|h|uhr|uur)\b"

_DATES = (
    rf"{_NOT_IN_NUMBER}{_YEAR}(?P<s>[-/.]){_MONTH}(?P=s){_DAY}(?!\d)(?:T[\d:.]{{4,15}}Z?)?",
    rf"{_NOT_IN_NUMBER}{_DAY}(?P<s> ?[-/.] ?){_DAY}(?P=s){_ANY_YEAR}(?![\w/-])(?:\b|(?<=\d)){NO_MEASURE}",
    rf"(?<!\d){_YEAR}(?:1[0-2]|0[1-9])(?:3[01]|[12]\d|0[1-9])(?!\d)",
    rf"(?<![\w.]){_DAY}{_ORDINAL}[ /-]{{0,2}}(?:of |de )?{_NAMED_ANY_CASE}[ ,/-]{{0,2}}(?:of |de )?{_ANY_YEAR}(?!\w)",
    rf"(?<![\w.]){_DAY}{_ORDINAL}[ /-]{{0,2}}(?:of |de )?{_NAMED}(?!\w)",
    rf"(?<!\w){_NAMED_ANY_CASE}[ -]?{_DAY}(?:st|nd|rd|th)?,?[ -]{_YEAR}(?!\w)",
    rf"(?<!\w){_NAMED}[ -]?{_DAY}(?:st|nd|rd|th)?(?:, ?['’]?\d{{2}})?(?!\w|:\d){NO_MEASURE}",
    rf"(?<!\w){_NAMED_ANY_CASE},?[ /-]{{0,2}}(?:of |de )?(?:{_YEAR}|['’]\d{{2}})(?!\w)",
    rf"(?i:\b(?:in|since|from|last|until|dated|early|late|mid|by|end of|beginning of)[ -])(?P<x>{_ENGLISH})(?!\w)",
    rf"(?<!\w)(?P<x>{_NAMED_ANY_CASE}),?[ -](?=\[DATE\])",
    rf"(?<=\[DATE\][ -])(?P<x>{_NAMED})(?!\w)",
    rf"{_NOT_IN_NUMBER}{_MONTH}[/-]{_YEAR}(?![\w/-]){NO_MEASURE}",
    rf"{_NOT_IN_NUMBER}(?:0[1-9]|1[0-2])\.{_YEAR}(?!\w){NO_MEASURE}",
    rf"{_CUE}(?P<x>{_MONTH}/{_DAY}|{_DAY}/{_MONTH})(?![\w/]){NO_MEASURE}{_NO_PART}",
    rf"(?i:\b(?:am|vom|seit|zum|bis|dem)[ ])(?P<x>{_DAY}\.{_MONTH}\.)(?!\d)",
)

_TIMES = (
    r"(?<![\w.:/])(?<!ratio )(?<!ratio of )(?:2[0-3]|[01]?\d):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?"
    rf"(?!\w|:\d)(?:\s?{_MERIDIEM})?(?:\s?{_CLOCK})?",
    rf"(?<![\w.:/])(?:2[0-3]|[01]?\d):[0-5]\d(?::[0-5]\d)?(?:\s?(?:{_MERIDIEM}|{_CLOCK})|[ap](?!\w))",
    r"(?<=\[DATE\][ ,])\s?(?P<x>(?:2[0-3]|[01]\d)[0-5]\d)(?!\w)",
    rf"(?<![\w./-])(?:1[0-2]|0?[1-9])(?:\.[0-5]\d)?\s?{_MERIDIEM}",
    rf"(?<![\w./-])(?:2[0-3]|[01]\d)[0-5]\d\s?{_CLOCK}",
    rf"\bat (?P<x>(?:2[0-3]|[01]\d)[0-5]\d)(?!\w){NO_MEASURE}",
    r"(?<![\w./-])(?:2[0-3]|[01]?\d)(?:h[0-5]\d(?!\w)|\.[0-5]\d\s?(?:uhr|uur)\b)",
)

_OVER_89 = r"(?:9\d|1[01]\d)"
_SPELLED = r"(?:ninet(?:y|ies)|one hundred)(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?"

_AGES = (
    rf"(?<![\w.])(?P<x>{_OVER_89})[- ]?(?:years?|yrs?|y/?o\b|y\.o\.|jährige?[rnms]?|jahre|ans\b|años|jaar|jarige)",
    rf"\b(?P<x>{_SPELLED})[- ]years?",
    rf"\bage(?:[ds]|/sex)?[: ]{{1,2}}(?:of )?(?P<x>{_OVER_89})(?![\w.])",
    rf"(?<![\w.])(?P<x>{_OVER_89})[ -]?(?:m|f|male|female|man|woman)(?=[ ,](?:with|presents|presenting|s/p"
    rf"|h/o|who|here))",
    r"\bin (?:his|her|their) (?P<x>(?:mid|late|early)?[- ]?(?:nineties|90['’]?s))(?!\w)",
)

DATES = {
    "DATE": _DATES,
    "TIME": tuple(f"(?i:{pattern})" for pattern in _TIMES),
    "AGE": tuple(f"(?i:{pattern})" for pattern in _AGES),
}
"""Class → patterns. If a pattern has a group `x`, the group is the identifier and the rest of the match is its cue."""
