"""Pseudonyms of patients and studies: a keyed hash whose key never leaves the site, so only the site can trace them."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
import unicodedata
from base64 import b32encode
from dataclasses import dataclass, field
from pathlib import Path

from fedaid.errors import InputError, require

KEY_BYTES = 32

_DOMAIN = b"fedaid/pseudonym/v1"
_PSEUDONYM_BYTES = 16
_WHERE = "the pseudonym key of this site"
_LOST = "Restore it from the site's backup; with a new key every pseudonym changes."


@dataclass(frozen=True)
class Pseudonyms:
    """The pseudonyms of one key: equal for equal identifiers, unrelated between patients and studies.

    A plain hash could be reversed by trying all record numbers. HMAC-SHA256 with a secret key cannot.

    Args:
        key: at least 32 secret bytes, as :func:`site_key` returns them.

    Raises:
        InputError: for a shorter key.
    """

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _require_length(self.key)

    def patient(self, identifier: str) -> str:
        """Return the patient's pseudonym: "p" and 26 lower-case letters and digits; see :meth:`study`."""
        return self._pseudonym("p", identifier)

    def study(self, identifier: str) -> str:
        """Return the study's pseudonym: "s" and 26 lower-case letters and digits.

        Exports of one archive differ in case, in Unicode compatibility forms, and in white space or zero bytes, so
        these are ignored. Leading zeros count.

        Raises:
            InputError: for an empty identifier, because all patients without one would become one patient.
        """
        return self._pseudonym("s", identifier)

    def _pseudonym(self, kind: str, identifier: str) -> str:
        """The pseudonym of an identifier within its domain."""
        normal = _normalised(identifier)
        require(
            bool(normal), "identifier", "not be empty", got="an empty one", where=_WHERE, remedy="Leave the study out."
        )
        message = b"\0".join((_DOMAIN, kind.encode(), normal.encode("utf-8", "surrogatepass")))
        digest = hmac.digest(self.key, message, hashlib.sha256)[:_PSEUDONYM_BYTES]
        return kind + b32encode(digest).decode().rstrip("=").lower()


def site_key(file: Path) -> bytes:
    """Return the site's key from its file; a missing file is created with mode 0600.

    The key is written as hexadecimal digits, so that a line feed added by an editor does not change it.

    Args:
        file: outside every folder that leaves the site; its folder must exist.

    Raises:
        InputError: if the file cannot be read or created, is not a regular file, can be read by others than its owner,
            or has less than 32 bytes. The message never shows the key.
    """
    try:
        if not file.exists():
            _make(file)
        return _read(file)
    except OSError as error:
        raise InputError(
            "key file", "be readable", got=type(error).__name__, where=_WHERE, remedy="Check its folder and its owner."
        ) from None


def _make(file: Path) -> None:
    """Create the key file in one step; if another process has created it meanwhile, that key stays."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            out.write(secrets.token_hex(KEY_BYTES) + "\n")
            out.flush()
            os.fsync(out.fileno())
        os.link(draft, file)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _read(file: Path) -> bytes:
    """The key from a file that only its owner can read."""
    with file.open("rb") as opened:
        mode = os.fstat(opened.fileno()).st_mode
        require(stat.S_ISREG(mode), "key file", "be a file", got="something else", where=_WHERE, remedy=_LOST)
        private = not mode & (stat.S_IRWXG | stat.S_IRWXO)
        rule, got = "be closed to group and others", f"mode {stat.S_IMODE(mode):04o}"
        require(private, "key file", rule, got=got, where=_WHERE, remedy="Run chmod 600 on it.")
        text = opened.read(1 << 12)
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        rule = "hold hexadecimal digits"
        raise InputError("key file", rule, got="something else", where=_WHERE, remedy=_LOST) from None
    return _require_length(key)


def _require_length(key: bytes) -> bytes:
    """The key, if it is long enough."""
    rule = f"have at least {KEY_BYTES} bytes"
    require(len(key) >= KEY_BYTES, "key", rule, got=len(key), where=_WHERE, remedy=_LOST)
    return key


def _normalised(identifier: str) -> str:
    """The identifier in the form that is hashed."""
    return " ".join(unicodedata.normalize("NFKC", identifier).replace("\0", " ").casefold().split())
