"""Ages above 89 in the text of a report, in digits and in words of five languages."""

from __future__ import annotations

from fedaid.data.report.identifiers.rule import rules

_OVER_89 = r"(?:9\d|1[01]\d)"
_UNIT = (
    r"(?:years?|yrs?|y/?o\b|y\.o\.|jähr(?:ige?[rnms]?)?|jaehrige?[rnms]?|jahre?n?\b|j\.|ans\b|años?\b|anos\b|jaar\b|jr\b"
    r"|jarige?n?)"
)
_ENGLISH = r"(?:ninet(?:y|ies)|(?:one|a) hundred)(?:[- ](?:and )?(?:one|two|three|four|five|six|seven|eight|nine|ten))?"
_ONES_GERMAN = "(?:(?:ein|zwei|drei|vier|fünf|sechs|sieben|acht|neun)und)?neunzig|(?:ein)?hundert(?:und)?[a-zäöü]{0,7}?"
_FRENCH = (
    r"quatre[- ]vingts?[- ](?:dix(?:[- ](?:sept|huit|neuf))?|onze|douze|treize|quatorze|quinze|seize)"
    r"|nonante(?:[- ](?:et[- ])?[a-z]{2,6})?|cent(?:[- ](?:un|deux|trois|quatre|cinq|six|sept|huit|neuf|dix))?"
)
_SPANISH = r"noventa(?: y [a-zó]{2,6})?|cien(?:to [a-z]{2,6})?"
_DUTCH = "(?:(?:een|twee|drie|vier|vijf|zes|zeven|acht|negen)(?:en|ën))?negentig|honderd(?:een|twee|drie|vier|vijf)?"
_PEOPLE = (
    "nonagenarians?|super-?centenarians?|centenarians?|nonagénaires?|centenaires?|nonagenari[oa]s?|centenari[oa]s?"
    r"|hundertjährige[rnms]?|(?:ein|zwei|drei|vier|fünf|sechs|sieben|acht|neun)?(?:und)?neunzigjährige[rnms]?"
    "|(?:[a-zë]{3,9}(?:en|ën))?negentigjarige|honderdjarige"
)

_DIGITS = (
    rf"(?i:(?<![\w.])(?P<x>{_OVER_89})[- ]?{_UNIT})",
    rf"(?i:\b(?:he|she|patient|who) (?:is|was) (?P<x>{_OVER_89})(?![\w%/]|[.,]\d| ?(?:mm|cm|kg|bpm|percent)))",
    rf"(?i:\b(?:turned|turns|turning|de) (?P<x>{_OVER_89}(?: ?a\.|a)?)(?<=[.\da])(?= (?:last|this|next|in|on)\b"
    rf"|(?<=a\.)|(?<=\da)[.,;\n]))",
    rf"(?i:\bage(?:[ds]|/sex)?[: ]{{1,2}}(?:of )?(?P<x>{_OVER_89})(?![\w.]))",
    rf"(?i:\b(?:alter|âge|edad|leeftijd|im alter von|âgée? de|de edad|à l['’]âge de|oud)\s?:? ?(?:de )?)"
    rf"(?P<x>{_OVER_89})(?![\w.,/%]| ?mm| ?cm)",
    rf"(?i:(?<![\w.])(?P<x>{_OVER_89})[ -]?(?:m|f|male|female|man|woman)(?=[ ,](?:with|presents|presenting|s/p"
    rf"|h/o|who|here)))",
    r"(?i:\bin (?:his|her|their|the) (?P<x>(?:mid|late|early)?[- ]?(?:nineties|90['’]?s))(?!\w))",
    rf"(?i:(?<![\w.])(?P<x>{_OVER_89}(?:st|nd|rd|th|\.|e|ème|º|º|ª|ste|de)?)[ -](?:year of (?:life|age)|birthday"
    rf"|lebensjahr"
    rf"|geburtstag|année|anniversaire|cumpleaños|aniversario|levensjaar|verjaardag))",
    rf"(?i:\bin (?:his|her|their) (?P<x>{_OVER_89}(?:st|nd|rd|th)) year)",
)
_WORDS = (
    rf"(?i:\b(?P<x>{_ENGLISH})[- ](?:years?|yrs?|y/?o)\b)",
    rf"(?i:\b(?P<x>{_ENGLISH})(?= (?:male|female|man|woman|lady|gentleman)\b))",
    r"(?i:\b(?:aged?|is) (?P<x>(?:ninety|one hundred)(?:[- ][a-z]{3,5})?)(?=[.,;\n]|$| years))",
    r"(?i:\b(?:his|her|their|the) (?P<x>(?:ninet(?:y|ieth)[- ]?[a-z]{0,7}|(?:one )?hundredth|tenth|eleventh)) "
    r"(?:year|birthday|decade))",
    rf"(?i:\b(?P<x>{_ONES_GERMAN})[- ]?(?:jähr|jahre))",
    rf"(?i:\b(?P<x>{_FRENCH})[ -](?:ans|années)\b)",
    rf"(?i:\b(?P<x>{_SPANISH}) años\b)",
    rf"(?i:\b(?P<x>{_DUTCH})[- ]?(?:jaar|jarige)\b)",
    r"(?i:\b(?:im|in der|in den|in seinen|in ihren) (?P<x>neunzigern?)\b)",
    rf"(?i:\b(?P<x>{_PEOPLE})\b)",
)

AGES = (
    *rules("AGE", *_DIGITS),
    *rules("AGE", *_WORDS[:4], hints="ninet|hundred|tenth|eleventh"),
    *rules("AGE", *_WORDS[4:], hints="neunzig|hundert|vingt|nonant|cent|novent|cien|negentig|honderd|nonag"),
)
"""The rules of ages."""
