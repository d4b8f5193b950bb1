"""E-mail, web and network addresses, files, and telephone numbers in the text of a report."""

from __future__ import annotations

from fedaid.data.report.identifiers.rule import NO_MEASURE, rules

_TOP = (
    "com|org|net|edu|gov|info|biz|mil|int|eu|uk|de|fr|es|nl|at|ch|be|it|pt|ie|us|ca|au|nz|in|jp|kr|cn|se|no|dk|fi|pl|cz"
    "|example|local|lan|intern|internal|intranet|corp|home|test|hospital|health|care|clinic|med|cloud|app|io|nhs"
)
_SURE = "com|org|net|edu|gov|info|biz|eu|example|local|lan|intern|internal|intranet|corp|hospital|nhs"
"""Endings that are no word, so that a blank missing after a full stop does not make a host name."""
_PATH = r"(?:[/:?#](?:[^\s\])>]{0,250}[^\s\])>.,;:])?)?"
_LABEL = r"[a-z0-9](?:[\w-]{0,61}[a-z0-9])?"

_MAIL = (
    r"[\w.+-]{1,64}\s?@\s?[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}",
    r"(?i:[\w.+-]{1,64}\s?(?:\[at\]|\(at\)|\{at\}|<at>|\[@\]|\(@\)|\[arroba\]|\(arroba\))\s?[\w-]{1,63}"
    r"(?:\s?(?:\.|\[dot\]|\(dot\)|\[punkt\]|\(punkt\)|\[point\]|\(point\)|\[punto\]|\(punto\))\s?[\w-]{1,63}){0,5})",
    rf"(?i:\b[a-z0-9]{{1,30}}(?:[._-][a-z0-9]{{1,30}}){{0,3}} at {_LABEL}(?:(?:\.| dot ){_LABEL}){{0,4}}(?:\."
    rf"| dot )(?:{_TOP})\b)",
    r"(?<![\w.@/])@\w{3,30}\b",
)
_WEB = (
    r"(?i:\b(?:https?|ftps?|sftp|dicom|file|smb|ldaps?)://[^\s\])>]{0,500}[^\s\])>.,;:])",
    rf"(?i:\bwww\.[\w.-]{{0,250}}\w{_PATH})",
    rf"(?i:(?<![\w@.-])[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{0,3}}\.(?:{_SURE})\b{_PATH})",
    rf"(?i:(?<![\w@.-]){_LABEL}(?:\.{_LABEL}){{1,4}}\.(?:{_TOP})\b{_PATH})",
    rf"(?i:(?<![\w@.-])(?=[\w.-]{{0,80}}[\d-]){_LABEL}\.(?:{_TOP})\b{_PATH})",
    rf"(?i:(?<![\w@.-])(?!\d){_LABEL}\.(?:{_TOP})/[^\s\])>]{{1,250}})",
    r"\\\\[^\s\\,;]{1,100}(?:\\[^\s,;]{0,250}[^\s,;.)])?",
    r"(?i:(?<![\w:/])//(?!e?-?signed)[a-z0-9][\w.-]{2,60}/[^\s,;]{1,250}[^\s,;.)])",
    r"(?<!\w)[A-Za-z]:\\[^\s,;]{1,250}[^\s,;.)]",
    r"(?<![\w/.])/(?:home|mnt|data|srv|var|users|export|archive|media|pacs|images|volumes|opt"
    r"|tmp)/[^\s,;]{1,250}[^\s,;.)]",
    r"(?i:(?<![\w.])[\w-]{1,80}\.(?:dcm|dicom|pdf|docx?|jpe?g|png|tiff?|zip|hl7|rtf))\b",
    r"(?i:\b(?:host(?:name)?|server|workstation|ae[- ]?title|aet|station(?: name)?|rechner|serveur|servidor)\s?[:=]\s?)"
    r"(?P<x>[\w.-]{2,40})",
    r"(?i:\b(?P<x>(?:pacs|ris|kis|his|srv|vm|ws|wks|pc)(?:[-_][\w-]{1,30}"
    r"|\d{1,4}(?:[-_.][\w-]{1,30})?))\b)(?! ?(?:mm|cm|ml))",
)
_IP = (
    r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.]\d|\d)",
    r"(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){3,7}[0-9A-Fa-f]{1,4}(?![\w:])",
    r"(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){1,6}:(?:[0-9A-Fa-f]{1,4}:){0,5}[0-9A-Fa-f]{1,4}(?![\w:])",
    r"(?<![\w:-])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![\w:-])",
)

_DOTTED = "|".join(f".{ending}" for ending in f"{_TOP}|{_SURE}".split("|"))

CONTACTS = (
    *rules("EMAIL", _MAIL[0], _MAIL[3], hints="@"),
    *rules("EMAIL", _MAIL[1], hints="[|(|{|<"),
    *rules("EMAIL", _MAIL[2], hints=" at "),
    *rules("URL", _WEB[0], hints="://"),
    *rules("URL", _WEB[1], hints="www."),
    *rules("URL", *_WEB[2:6], hints=_DOTTED),
    *rules("URL", _WEB[6], _WEB[8], hints="\\"),
    *rules("URL", _WEB[7], hints="//"),
    *rules("URL", _WEB[9], hints="/"),
    *rules("URL", _WEB[10], hints=".d|.p|.j|.t|.z|.h|.r"),
    *rules("URL", _WEB[11], labelled=True),
    *rules("URL", _WEB[12], starts="pacs|ris|kis|his|srv|vm|ws|wks|pc"),
    *rules("IP", *_IP),
)
"""The rules of addresses in a network."""

_CUE = (
    "busca(?:personas)?|semafoon|tel(?:efon(?:nummer|isch unter)?|efono|éfono|éphone|ephone|efoon"
    "(?:nummer)?|\\.)?|phone|fax|pager|beeper"
    "|bleep|mobile|mobil"
    "|handy|cell|hotline|tél\\.?|ext(?:ension|\\.)?|durchwahl|piepser|funk|apparat|app\\.|poste|móvil|movil"
    "|extensión|mob\\.?|gsm|toestel|tst\\.|dect|rufnummer|rückruf(?: unter)?|call ?back|whatsapp"
)
_MORE = (
    r"(?: ?(?:number|num\.?|no\.?|nr\.?|n[º°]\.?|numéro|número|nummer|#))?\s{0,2}(?:at |is |unter |au |al |op )?[:#.]?"
    r"\s{0,2}"
)

PHONES = (
    *rules(
        "PHONE",
        rf"(?i:\b(?:{_CUE}){_MORE})(?P<x>[+(]?\d[\d\s()./–-]{{1,22}}\d)(?!\w|[.,]?\d| ?(?:mm|cm)\b)",
        starts=_CUE,
    ),
    *rules(
        "PHONE",
        r"(?<![\w.])(?:\+?1[-. ]?)?(?:\(\d{3}\)\s?|\d{3}[-./ ])\d{3}[-. ]\d{4}"
        r"(?:,?\s?(?:x|ext\.?|extension)\s?\d{1,6})?(?!\w)",
        r"(?<!\w)(?:\+|00)\d{1,3}(?:[\s()./-]{0,2}\d){7,13}(?!\w)",
        rf"(?<![\w.-])[2-9]\d{{2}}-\d{{4}}(?![\w-]){NO_MEASURE}",
        r"\bx\d[\d-]{3,6}\b",
    ),
)
"""The rules of telephone numbers."""

GROUPED_PHONES = rules(
    "PHONE",
    r"(?<![\w.,/-])(?!\(?\d{5}-\d{4}(?!\d))(?=\(?(?:[ ()/–-]{0,3}\d){8})"
    r"\(?0\d{1,5}\)? ?[-/–] ?\d{2,5}(?:[ -]?\d{2,5}){1,4}(?![\w/]|[.,]\d)",
    r"(?<![\w.,/-])0[1-9](?:[ .]\d\d){4}(?![\w/]|[.,]\d)",
    r"(?<![\w.,/-])[6-9]\d\d(?: \d{3} \d{3}|(?: \d\d){3})(?![\w/]|[.,]\d| \d)",
)
"""The rules of telephone numbers in groups. Those of dates and times go first."""
