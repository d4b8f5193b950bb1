"""The kind of a file that is no image, such as the viewer, index and notes that a PACS adds to an export.

Such a file is no bad image, so it is counted by its kind. The content decides where it has a signature; the name
decides for texts and for some parts of programs. A file that its name calls an image stays a bad image.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

ARCHIVE, DOCUMENT, INDEX, MEDIA, PROGRAM = "archive", "document", "DICOMDIR", "film or sound", "program"
SYSTEM, TABLE, TEXT, VOLUME = "system file", "database", "text", "volume"
KINDS = (ARCHIVE, TABLE, DOCUMENT, MEDIA, INDEX, PROGRAM, SYSTEM, TEXT, VOLUME)
"""The kinds of files without an image, as they are counted."""

HEAD = 1 << 12
LEAST_ASCII = 0.7
"""Share of ASCII among the bytes of a text in an 8-bit encoding without a known ending."""

_DISC_AT, _DISC = 0x8001, b"CD001"
_STARTS: Mapping[str, tuple[bytes, ...]] = MappingProxyType(
    {
        ARCHIVE: (
            *(b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x1f\x8b\x08"),
            *(b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"MSCF\0\0\0\0", b"\x1f\x9d\x90", b"\x1f\xa0"),
        ),
        DOCUMENT: (b"%PDF-", b"{\\rtf", b"ITSF\x03\0", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
        PROGRAM: (  # the last six are fonts, icons and cursors
            *(b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe"),
            *(b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xfe\xed\xfa\xcf", b"\xfe\xed\xfa\xce"),
            *(b"\0\x01\0\0\0", b"OTTO\0", b"wOFF", b"wOF2", b"\0\0\x01\0", b"\0\0\x02\0"),
        ),
        SYSTEM: (b"\0\x05\x16\x07", b"\0\x05\x16\0", b"\0\0\0\x01Bud1", b"L\0\0\0\x01\x14\x02\0"),
        TABLE: (b"SQLite format 3\0", b"\0\x01\0\0Standard"),
        MEDIA: (
            *(b"ID3", b"OggS", b"fLaC", b"\x1aE\xdf\xa3", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),
            *(b"\0\0\x01\xba", b"\0\0\x01\xb3", b"FWS", b"CWS"),
        ),
        VOLUME: (b"NRRD0", b"\\\x01\0\0"),
    }
)
"""Kind → first bytes."""
_PACKED: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("docx", "xlsx", "pptx", "docm", "xlsm", "odt", "ods", "odp", "epub"), DOCUMENT),
        **dict.fromkeys(("jar", "apk", "war", "xpi"), PROGRAM),
        **dict.fromkeys(("nii", "mha"), VOLUME),
    }
)
"""Ending of a file with the signature of an archive that nobody unpacks → its kind."""
_ENDINGS: Mapping[str, str] = MappingProxyType(
    {
        **_PACKED,
        **dict.fromkeys(("htm", "html", "xhtml", "xml", "xsl", "xslt", "svg", "pdf", "rtf", "doc", "xls"), DOCUMENT),
        **dict.fromkeys(("chm", "hlp", "ppt"), DOCUMENT),
        **dict.fromkeys(("exe", "dll", "ocx", "com", "bat", "cmd", "msi", "sys", "so", "dylib", "ps1", "vbs"), PROGRAM),
        **dict.fromkeys(("js", "css", "class", "ttf", "ico", "cur", "sh", "py", "pak", "res", "lib", "pdb"), PROGRAM),
        **dict.fromkeys(("txt", "text", "log", "ini", "cfg", "csv", "tsv", "json", "jsonl", "yml", "yaml", "md"), TEXT),
        **dict.fromkeys(("inf", "lnk", "url", "lck", "lock"), SYSTEM),
        **dict.fromkeys(("md5", "sha1", "sha256", "crc", "sig", "bak", "tmp", "bin", "dat"), SYSTEM),
        **dict.fromkeys(("mdb", "accdb", "db", "sqlite", "dbf", "ldb"), TABLE),
        **dict.fromkeys(("zip", "7z", "rar", "tar", "gz", "tgz", "bz2", "xz", "iso"), ARCHIVE),
        **dict.fromkeys(("nrrd", "nhdr", "mhd", "stl"), VOLUME),
    }
)
_SYSTEM_NAME = re.compile(
    r"\._.*|\.ds_store|thumbs\.db|ehthumbs.*\.db|desktop\.ini|autorun\.inf|\.directory|\.nomedia|lockfile|\.localized"
    r"|~\$.*|\.volumeicon\.icns|indexervolumeguid|wpsettings\.dat|\.fuse_hidden.*|\.nfs.*|\.git(?:keep|ignore)"
    r"|(?:md5|sha\d+)sums?"
)
_IMAGE_ENDINGS = frozenset(
    ("dcm", "dicom", "dic", "ima", "img", "acr", "png", "jpg", "jpeg", "jpe", "jp2", "j2k", "jls", "jxl", "tif", "tiff",
     "bmp", "gif", "webp", "pgm", "raw", "cr", "dx")
)  # fmt: skip
_ENDING = re.compile(r"7z|[a-z][a-z0-9]{0,11}")
_PRINTED = bytes({8, 9, 10, 12, 13, 27} | set(range(0x20, 0x100)) - {0x7F})


def file_kind(path: Path) -> str:
    """Return the kind of a file that has no image, one of :data:`KINDS`; empty if it should be an image.

    Args:
        path: a file that does not begin as DICOM, PNG or JPEG.

    Raises:
        OSError: if it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
        file.seek(_DISC_AT)
        disc = file.read(len(_DISC)) == _DISC
    name = path.name.lower()
    signed = ARCHIVE if disc or head[257:262] == b"ustar" else _signed(head)
    if signed == ARCHIVE:
        return _PACKED.get(_ending(name), ARCHIVE)
    if signed or _SYSTEM_NAME.fullmatch(name):
        return SYSTEM if _SYSTEM_NAME.fullmatch(name) else signed
    return _by_name(name, head)


def _signed(head: bytes) -> str:
    """The kind by the first bytes, or empty."""
    if head[4:8] == b"ftyp" or (head[:4] == b"RIFF" and head[8:12] in (b"AVI ", b"WAVE")):
        return MEDIA
    return next((kind for kind, starts in _STARTS.items() if head.startswith(starts)), "")


def _ending(name: str) -> str:
    """The ending of a name, of a compressed volume the one before; empty if the last part is no ending."""
    stem = name.removesuffix(".gz")
    ending = (stem if stem.endswith((".nii", ".mha")) else name).rpartition(".")[2] if "." in name[1:] else ""
    return ending if _ENDING.fullmatch(ending) else ""


def _by_name(name: str, head: bytes) -> str:
    """The kind by the name, or of a text that is not named like an image."""
    ending = _ending(name)
    if ending in _ENDINGS or ending in _IMAGE_ENDINGS:
        return _ENDINGS.get(ending, "")
    if not _is_text(head) or (not ending and any(letter.isdigit() for letter in name)):  # IM0001, 1.2.840.1
        return ""
    return DOCUMENT if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") else TEXT


def _is_text(head: bytes) -> bool:
    """Whether these bytes have no control characters, and are UTF-16 with a mark, UTF-8 or mostly ASCII."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return len(head) > 2
    if not head or head.translate(None, _PRINTED):
        return False
    try:
        return bool(codecs.getincrementaldecoder("utf-8")().decode(head))  # the last letter may be cut
    except UnicodeDecodeError:
        return sum(byte < 0x80 for byte in head) >= LEAST_ASCII * len(head)
