"""Finds the encoding of a table: UTF-8, UTF-16, UTF-32, or the single-byte encoding in which its letters make words.

A byte order mark and valid UTF-8 are certain. The rest is a finding that must be said to a person. Where two encodings
are possible, nothing is guessed.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

SAMPLE = 1 << 20
"""Bytes in which the letters are looked at."""
TITLES: Mapping[str, str] = MappingProxyType(
    {
        "utf-8-sig": "UTF-8",
        "utf-16": "UTF-16",
        "utf-16-le": "UTF-16",
        "utf-16-be": "UTF-16",
        "utf-32": "UTF-32",
        "cp1250": "Windows-1250",
        "cp1251": "Windows-1251",
        "cp1252": "Windows-1252",
        "cp1253": "Windows-1253",
        "cp1254": "Windows-1254",
        "cp1257": "Windows-1257",
        "mac_roman": "Mac Roman",
        "cp850": "DOS 850",
        "koi8_r": "KOI8-R",
        "iso8859_2": "ISO 8859-2",
    }
)
"""Codec → its name for a person."""

_MARKS = ((b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"), (b"\xef\xbb\xbf", "utf-8-sig"),
          (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))  # fmt: skip
_LETTERS = frozenset("ÄÖÜäöüßÀÁÂÃÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕØÙÚÛŒàáâãåæçèéêëìíîïñòóôõøùúûœÿ")
_SIGNS = frozenset("–—‘’‚“”„«»‹›…•€£°²³µ±×÷§·½¼¾ªº®©™´¿¡†¬\u00a0\u00ad")
_JOINING = frozenset("’‘´\u00ad\u00a0°ªº")
"""Signs that may stand between two letters."""
_LEADING = frozenset("§¿¡„‚")
"""Signs that never follow a letter."""
_SEQUENCE = re.compile(rb"[\xc2-\xc5][\x80-\xbf]|\xe2\x80[\x90-\xba]")
"""A Latin letter or a quotation mark in UTF-8."""
_OTHER_SCRIPTS = ("cp1250", "iso8859_2", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1257")
_MOST_ODD, _LEAST_COHERENCE, _SCRIPTS = 0.1, 0.35, 4
_SIGN = 0.09
"""How odd a sign is where a letter would do, so that of two readings the one with more letters wins."""


@dataclass(frozen=True)
class TextEncoding:
    """The encoding of a file.

    Attributes:
        codec: Python's name for it.
        found: whether it was found from the letters, so that it must be said.
        fault: why the file cannot be trusted in any encoding; empty for a sound file.
        line: the line that shows the fault.
    """

    codec: str
    found: bool = False
    fault: str = ""
    line: int = 1

    @property
    def title(self) -> str:
        """Its name for a person."""
        return TITLES.get(self.codec, self.codec)


def encoding_of(data: bytes) -> TextEncoding:
    """Return the encoding of a file's bytes."""
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return _checked(data, codec)
    wide = _wide(data[:SAMPLE])
    if wide:
        return _checked(data, wide)
    if (broken := broken_at(data, "utf-8")) is None:
        return TextEncoding("utf-8-sig")
    return _single_byte(data, line=data.count(b"\n", 0, broken) + 1)


def given_encoding(data: bytes, name: str) -> TextEncoding:
    """Return the encoding that a person named, with a fault if the bytes contradict it or its name is unknown."""
    try:
        codec = codecs.lookup(name).name
        "".encode(codec)
    except LookupError:
        return TextEncoding("latin-1", fault=f"the unknown encoding {name[:40]!a}")
    if not (codec.startswith("utf") or data.isascii()) and broken_at(data, "utf-8") is None:
        return TextEncoding("utf-8-sig", fault=f"UTF-8 and not {TITLES.get(codec, codec)}")
    return _checked(data, "utf-8-sig" if codec == "utf-8" else codec)


def broken_at(data: bytes, codec: str) -> int | None:
    """Return the position of the first bytes that are invalid in an encoding, or None."""
    decoder = codecs.getincrementaldecoder(codec)()
    for start in range(0, len(data), SAMPLE):
        try:
            decoder.decode(data[start : start + SAMPLE], final=start + SAMPLE >= len(data))
        except UnicodeDecodeError as error:
            return min(len(data), start + error.start)
        except UnicodeError:  # UTF-16 without its mark
            return start
    return None


def _checked(data: bytes, codec: str) -> TextEncoding:
    broken = broken_at(data, codec)
    if broken is None:
        return TextEncoding(codec)
    line = data.count(b"\n", 0, broken) + 1
    return TextEncoding("latin-1", fault=f"bytes that are not {TITLES.get(codec, codec)}", line=line)


def _wide(sample: bytes) -> str:
    """Return the UTF-16 codec of a file without a mark: every second byte is zero, or one of few that name a script."""
    halves = {"utf-16-be": sample[0::2], "utf-16-le": sample[1::2]}
    zeros = {codec: half.count(0) for codec, half in halves.items()}
    likely = max(zeros, key=zeros.__getitem__)
    few = len(set(halves[likely])) <= _SCRIPTS
    return likely if few and zeros[likely] > max(len(sample) / 40, 10 * min(zeros.values())) else ""


def _single_byte(data: bytes, *, line: int) -> TextEncoding:
    """Return the encoding of bytes that are not UTF-8."""
    sample = b"\n".join(part for part in data.splitlines() if not part.isascii())[:SAMPLE]
    sequences = len(_SEQUENCE.findall(sample))
    others = sum(byte > 127 for byte in _SEQUENCE.sub(b"", sample))
    if 20 * sequences >= others:  # letters of an old encoding hardly ever form such a sequence
        return TextEncoding("latin-1", fault="UTF-8 and another encoding in one file", line=line)
    odd = {codec: _oddness(sample, codec) for codec in ("cp1252", "mac_roman", "cp850")}
    best = min(odd, key=odd.__getitem__)  # the first of equals: Windows-1252
    if odd[best] <= _MOST_ODD and (best == "cp1252" or list(odd.values()).count(odd[best]) == 1):
        return TextEncoding(best, found=True)
    return _of_another_script(sample, line)


def _oddness(sample: bytes, codec: str) -> float:
    """Return the share of non-ASCII characters that no western language puts where they stand, from 0 to 1."""
    text = sample.decode(codec, errors="replace")
    places = [place for place, letter in enumerate(text) if letter > "\x7f"]
    odd = sum(_is_odd(text[max(0, place - 1) : place], text[place], text[place + 1 : place + 3]) for place in places)
    signs = sum(text[place] in _SIGNS for place in places)
    return (odd + _SIGN * signs) / max(1, len(places))


def _is_odd(before: str, letter: str, after: str) -> bool:
    """Whether a non-ASCII character is odd between the one before and the two after it."""
    if letter in _LETTERS:
        hungarian = letter in "õÕ" and after[:1].lower() != "e"
        capital_inside = letter.isupper() and before.islower()
        run = before > "\x7f" and before in _LETTERS and after[:1] in _LETTERS and after[:1] > "\x7f"
        return hungarian or capital_inside or run
    if letter not in _SIGNS or (letter in _LEADING and before.isalpha()):
        return True
    return before.isalpha() and after[:1].isalpha() and letter not in _JOINING


def _of_another_script(sample: bytes, line: int) -> TextEncoding:
    """Return the encoding in which charset-normalizer recognises a language, if it does."""
    from charset_normalizer import from_bytes

    matches = from_bytes(sample, cp_isolation=list(_OTHER_SCRIPTS))
    broken = {
        match.encoding: (_broken_words(str(match)), match.percent_chaos, -match.coherence)
        for match in matches if match.coherence >= _LEAST_COHERENCE
    }  # fmt: skip
    best = min(broken, key=broken.__getitem__, default="")
    texts = {str(match) for match in matches if best and broken.get(match.encoding) == broken[best]}
    if len(texts) != 1 or broken[best][0] > _MOST_ODD / 2:
        return TextEncoding("latin-1", fault="an encoding that is not recognised", line=line)
    return TextEncoding(best, found=True)


def _broken_words(text: str) -> float:
    """Return the share of non-ASCII characters that are signs within a word or control characters, from 0 to 1."""
    places = [place for place, letter in enumerate(text) if letter > "\x7f"]
    broken = sum(
        unicodedata.category(text[place]) in ("Cc", "Cn", "Co")
        or (not text[place].isalpha() and text[place - 1 : place].isalpha() and text[place + 1 : place + 2].isalpha())
        for place in places
    )
    return broken / max(1, len(places))
