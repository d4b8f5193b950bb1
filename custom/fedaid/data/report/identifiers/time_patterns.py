"""Times of the day in the text of a report."""

from __future__ import annotations

from fedaid.data.report.identifiers.address_patterns import STREET
from fedaid.data.report.identifiers.rule import CAPITAL, NO_MEASURE, rules

_MERIDIEM = r"[ap](?:m|\.m\.?)(?!\w)"
_CLOCK = r"(?:hrs?|hours|h|uhr|uur)\b"
_HOUR = r"(?:2[0-3]|[01]?\d)"
_SPELLED = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"

_DIGITS = (
    rf"(?i:(?<![\w.:/])(?<!ratio )(?<!ratio of ){_HOUR}:[0-5]\d(?::[0-5]\d(?:\.\d{{1,6}})?)?"
    rf"(?!\w|:\d)(?:\s?{_MERIDIEM})?(?:\s?{_CLOCK})?)",
    rf"(?i:(?<![\w.:/]){_HOUR}:[0-5]\d(?::[0-5]\d)?(?:\s?(?:{_MERIDIEM}|{_CLOCK})|[ap](?!\w)))",
    r"(?i:(?<=\[DATE\][ ,])\s?(?P<x>(?:2[0-3]|[01]\d)[0-5]\d)(?!\w))",
    rf"(?i:(?<![\w./-])(?:1[0-2]|0?[1-9])(?:\.[0-5]\d)?\s?{_MERIDIEM})",
    rf"(?i:(?<![\w./-])(?:2[0-3]|[01]\d)[0-5]\d\s?{_CLOCK})",
    rf"(?i:\b(?:at|@) ?(?P<x>(?:2[0-3]|[01]\d)[0-5]\d)(?!\w){NO_MEASURE})(?! (?:[NSEW]\.? )?"
    rf"(?:{CAPITAL}[\w'’-]{{1,20}} ){{1,3}}{STREET})",
    rf"(?i:\b(?:at|um|om) (?P<x>{_HOUR}\.[0-5]\d)(?=[.,;)]?(?:$|\s(?!(?:mm|cm|ml)\b))))",
    rf"(?i:(?<![\w./-]){_HOUR}(?:h[0-5]\d(?!\w)|\.[0-5]\d\s?(?:uhr|uur|h)\b))",
    rf"(?i:(?<![\w./-]){_HOUR} ?(?:uhr|uur|h|heures?|horas?) (?:et |y |en )?[0-5]\d(?! ?(?:mm|cm|ml|%)|\w))",
    rf"(?i:\b(?:um|gegen|ab|vor|nach|om|rond|vers|à) )(?P<x>{_HOUR} ?(?:uhr|uur|h|heures?)(?![\w-]))",
    rf"(?i:\ba las? )(?P<x>{_HOUR}(?:[:.][0-5]\d)?(?: h(?:oras)?)?)(?![\w,]|\.\d)",
)
_WORDS = (
    rf"(?i:\b(?:half|quarter|ten|five|twenty)(?: past| to) (?:{_SPELLED}|\d{{1,2}})(?: o['’]clock)?\b)",
    rf"(?i:\b(?:at|around|about|by) )(?P<x>(?i:{_SPELLED}|\d{{1,2}}) o['’]clock)\b",
)

TIMES = (
    *rules("TIME", *_DIGITS),
    *rules("TIME", *_WORDS, hints="half|quarter| past| to |clock"),
)
"""The rules of times."""
