from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b32encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedaid.data.pseudonym import KEY_BYTES, Pseudonyms, site_key
from fedaid.errors import InputError

KEY = bytes(range(KEY_BYTES))
NAMES = Pseudonyms(KEY)


def refusal(file: Path) -> str:
    with pytest.raises(InputError) as caught:
        site_key(file)
    return str(caught.value)


def test_a_pseudonym_is_the_keyed_hash_of_its_domain_and_the_identifier() -> None:
    digest = hmac.new(KEY, b"fedaid/pseudonym/v1\0p\0mrn 1", hashlib.sha256).digest()[:16]
    assert NAMES.patient("MRN 1") == "p" + b32encode(digest).decode().rstrip("=").lower()


def test_patient_and_study_of_one_identifier_are_unrelated() -> None:
    assert NAMES.patient("1234")[1:] != NAMES.study("1234")[1:]


def test_another_key_gives_another_pseudonym() -> None:
    assert Pseudonyms(KEY[::-1]).patient("1234") != NAMES.patient("1234")


@pytest.mark.parametrize("variant", ["AB 12", "ab 12", " ab  12 ", "ab\t12", "ab 12\0", "ＡＢ 12"])
def test_what_exports_differ_in_does_not_count(variant: str) -> None:
    assert NAMES.study(variant) == NAMES.study("Ab 12")


@pytest.mark.parametrize("other", ["AB12", "AB 012", "AB 13", "AB-12"])
def test_all_else_counts(other: str) -> None:
    assert NAMES.study(other) != NAMES.study("AB 12")


@given(st.text(min_size=1).filter(lambda text: text.replace("\0", "").strip() != ""))
def test_a_pseudonym_is_a_safe_name_whatever_the_identifier(identifier: str) -> None:
    assert re.fullmatch("p[a-z2-7]{26}", NAMES.patient(identifier))


@given(st.sets(st.integers(0, 10**9).map(str), min_size=2, max_size=50))
def test_different_patients_have_different_pseudonyms(identifiers: set[str]) -> None:
    assert len({NAMES.patient(identifier) for identifier in identifiers}) == len(identifiers)


@pytest.mark.parametrize("empty", ["", "  ", "\0", "\n"])
def test_an_empty_identifier_is_refused(empty: str) -> None:
    with pytest.raises(InputError, match="not be empty"):
        NAMES.patient(empty)


def test_a_short_key_is_refused_and_no_key_is_shown() -> None:
    with pytest.raises(InputError, match="at least 32 bytes, got 31"):
        Pseudonyms(KEY[1:])
    assert repr(NAMES) == "Pseudonyms()"


def test_a_new_key_is_for_its_owner_only_and_stays(tmp_path: Path) -> None:
    file = tmp_path / "key"
    key = site_key(file)
    assert len(key) == KEY_BYTES
    assert file.stat().st_mode & 0o777 == 0o600
    assert site_key(file) == key
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_two_sites_have_two_keys(tmp_path: Path) -> None:
    assert site_key(tmp_path / "a") != site_key(tmp_path / "b")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610])
def test_a_key_open_to_others_is_refused(mode: int, tmp_path: Path) -> None:
    file = tmp_path / "key"
    site_key(file)
    file.chmod(mode)
    assert f"mode {mode:04o}" in refusal(file)


@pytest.mark.parametrize("content", ["", "ab" * 31, "not hexadecimal", "a" * 65, "ä" * 64])
def test_a_file_without_a_long_enough_key_is_refused_and_not_overwritten(content: str, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(content, encoding="utf-8")
    file.chmod(0o600)
    message = refusal(file)
    assert content == "" or content not in message
    assert file.read_text(encoding="utf-8") == content


def test_a_line_feed_does_not_change_the_key(tmp_path: Path) -> None:
    file = tmp_path / "key"
    key = site_key(file)
    file.write_text(file.read_text().strip() + "\r\n\n")
    assert site_key(file) == key


def test_a_folder_and_a_missing_folder_are_refused(tmp_path: Path) -> None:
    assert "be readable" in refusal(tmp_path)
    assert "be readable" in refusal(tmp_path / "none" / "key")
