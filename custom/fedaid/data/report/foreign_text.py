"""Recognises texts that are no plain report: documents, markup, data formats, messages and encoded bytes.

They look like words to a model, and they hide identifiers from the scrubber. A mark counts in any line, because an
export may put a line of its own above the document.
"""

from __future__ import annotations

import html
import json
import re

_NAME = r"[a-z_][\w:.-]{0,60}"
_TAGS = (
    "html|head|body|div|span|table|tbody|tr|td|th|font|pre|br|hr|ul|ol|li|em|strong|center|style|script|meta|title"
    "|h[1-6]|sup|sub|text|paragraph|section|component"
)
_MARKUP = re.compile(
    rf"<(?:!doctype\b|!--|!\[cdata\[|\?xml\b|(?:{_TAGS})\s{{0,3}}/?>|(?:{_TAGS})\s[^<>\n]{{0,300}}>|[pbiu]\s?/?>"
    rf"|/{_NAME}\s{{0,3}}>|{_NAME}\s{{1,9}}{_NAME}\s?=\s?[\"']|{_NAME}\s{{0,3}}/>)"
    rf"|\A\s{{0,99}}<{_NAME}>\s{{0,99}}<{_NAME}>",
    re.IGNORECASE,
)
_CUT_MARKUP = re.compile(
    r"\A\s{0,99}<(?:[a-z]\w{0,9}:)?(?:clinicaldocument|html|head|body|div|span|table|font|pre|p)\b", re.IGNORECASE
)
_DOCUMENT = re.compile(
    r"%PDF-|^%!PS|\{\s{0,9}\\rtf|data:[\w/+.-]{3,60};base64,|\APK\x03\x04|^begin [0-7]{3} \S", re.MULTILINE
)
_RTF_WORD = re.compile(
    r"\\(?:pard?|plain|fs\d{1,3}|f\d|lang\d{3,5}|ansicpg\d{3,5}|cf\d|s[ab]\d|viewkind\d|uc\d)(?![a-z])"
)
_FEWEST_RTF_WORDS = 3
_MAIL = re.compile(r"^(?:MIME-Version|Content-Type|Content-Transfer-Encoding):", re.IGNORECASE | re.MULTILINE)
_DATA = re.compile(
    r"\A\s{0,99}(?:\[\s{0,9})?\{\s{0,9}[\"']|\A\s{0,99}\[\s{0,9}[\"']|[\"']resourceType[\"']\s?:"
    r"|\A\d{3}8000\d{4}\s|^UN[AB][+:]",
    re.MULTILINE,
)  # JSON or its relatives, FHIR, xDT, EDIFACT
_CODE = re.compile(
    r"(?<![\w+/.:=-])[A-Za-z0-9+/]{40,}={0,2}(?![\w+/.=-])|(?<!\w)[0-9A-Fa-f]{60,}(?!\w)"
    r"|(?<![\w+/.=-])(?=(?:[\w-]*?\d){3})[A-Za-z0-9_-]{40,}={0,2}(?![\w+/.=-])"
)
_HEXADECIMAL = re.compile(r"(?=.{0,40}\d)(?=.{0,40}[A-Fa-f])[0-9A-Fa-f]{60,}")
_CODE_LINES = re.compile(r"(?:^[A-Za-z0-9+/]{16,}={0,2}\s{0,2}$\n?){2,}", re.MULTILINE)
_KINDS_OF_LETTERS = (re.compile("[a-z]"), re.compile("[A-Z]"), re.compile("[0-9+/]"))
_MESSAGE = re.compile(
    r"(?<![^\W_])(?:MSH|FHS|BHS)([^\w\r\n ])[^\w\s]{1,6}\1"
    r"|^[\x0b\s]{0,3}(?:PID|PV1|ORC|OBR|OBX|NTE|TXA|ZDS|EVN|MSA|BTS|FTS|NK1|IN1|GT1|AL1|DG1)[|#!$%^~](?=\S)",
    re.MULTILINE,
)


def is_message(text: str) -> bool:
    """Whether a text has a header of HL7 version 2 in it, under any separators, or one of its usual segments."""
    return _MESSAGE.search(text) is not None


def is_document(text: str) -> bool:
    """Whether a text is or contains markup, a document, a data format or encoded bytes."""
    spelled = html.unescape(text) if "&lt;" in text.lower() else text
    marks = (_MARKUP, _CUT_MARKUP, _DOCUMENT, _MAIL, _DATA)
    return (
        any(mark.search(spelled) for mark in marks)
        or len(_RTF_WORD.findall(text)) >= _FEWEST_RTF_WORDS
        or _is_json(text)
        or _is_encoded(text)
    )


def _is_json(text: str) -> bool:
    """Whether the whole text is an object or a list in JSON that is not empty."""
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        return bool(json.loads(text))
    except (ValueError, RecursionError):
        return False


def _is_encoded(text: str) -> bool:
    """Whether a part of the text is base64 or hexadecimal; a long word of one kind of letters is not."""
    runs = [match[0] for pattern in (_CODE, _CODE_LINES) for match in pattern.finditer(text)]
    return any(_is_mixed("".join(run.split())) for run in runs)


def _is_mixed(run: str) -> bool:
    return len(run) >= 40 and (
        len(run) >= 80 or _HEXADECIMAL.fullmatch(run) is not None or all(kind.search(run) for kind in _KINDS_OF_LETTERS)
    )
