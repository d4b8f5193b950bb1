from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from fedaid.data.report.report_file import MAX_BYTES, plain_report, read_report_file
from fedaid.data.unusable import UnusableStudy

REPORT = "FINDINGS: Clear lungs.\nIMPRESSION: Normal.\n"


def reason(path: Path) -> str:
    with pytest.raises(UnusableStudy) as caught:
        read_report_file(path)
    return caught.value.reason


def put(folder: Path, data: bytes) -> Path:
    (folder / "r").write_bytes(data)
    return folder / "r"


def test_utf_8_is_read_with_and_without_its_mark(tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-8-sig"):
        assert read_report_file(put(tmp_path, "Größe".encode(encoding))) == "Größe"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("dégagée".encode("latin-1"), "report-unreadable"),
        (REPORT.encode("utf-16"), "report-unreadable"),
        (b"x" * (MAX_BYTES + 1), "report-too-large"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "report-not-text"),
        (b"PK\x03\x04\xff\xfe", "report-not-text"),
        (b"\n <HTML><p>Clear.", "report-not-text"),
        (b'<?xml version="1.0"?><r/>', "report-not-text"),
        (rb"{\rtf1\ansi Clear.}", "report-not-text"),
        (base64.b64encode(REPORT.encode()), "report-not-text"),
        (base64.encodebytes(REPORT.encode() * 4), "report-not-text"),
    ],
)
def test_what_is_no_text_has_a_code_of_its_own(data: bytes, code: str, tmp_path: Path) -> None:
    assert reason(put(tmp_path, data)) == code


@pytest.mark.parametrize(
    "text", [REPORT, "", "Clear", "<5 mm nodule.", "<Portable film> clear.", "a" * 39, "Normal chest\n" * 9]
)
def test_prose_is_left_alone(text: str) -> None:
    assert plain_report(text) == text


def test_what_is_not_there_and_a_pipe_are_missing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert [reason(tmp_path / name) for name in ("none", "pipe")] == ["report-missing"] * 2


def test_a_file_that_cannot_be_opened_is_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, mode: str) -> None:
        raise PermissionError

    path = put(tmp_path, b"x")
    monkeypatch.setattr(Path, "open", refuse)
    assert reason(path) == "report-unreadable"
