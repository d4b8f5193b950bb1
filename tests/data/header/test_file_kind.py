from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from fedaid.data.header.file_kind import KINDS, file_kind

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)

GZIPPED = gzip.compress(b"x", mtime=0)  # without the time, so that each process gives the test one name


def zipped(name: str = "x") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, "content")
    return packed.getvalue()


def tarred() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("IM1"), io.BytesIO())
    return packed.getvalue()


def kind(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    return file_kind(folder / name)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        *[("study4.zip", zipped(), "archive"), ("IM0001", zipped(), "archive"), ("IM1.dcm", zipped(), "archive")],
        *[("a.tar", tarred(), "archive"), ("a", tarred(), "archive"), ("IM1.dcm.gz", GZIPPED, "archive")],
        *[("a.7z", b"7z\xbc\xaf\x27\x1c" + bytes(9), "archive"), ("cd.iso", bytes(0x8001) + b"CD001", "archive")],
        *[("brain.nii.gz", GZIPPED, "volume"), ("letter.docx", zipped(), "document")],
        *[("viewer.jar", zipped(), "program"), ("viewer.exe", b"MZ\x90\0", "program"), ("x.dll", b"MZ\0", "program")],
        *[("start.sh", b"#!/bin/sh\n", "program"), ("arial.ttf", b"\0\x01\0\0\0\x10", "program")],
        *[("style.css", b"p {}", "program"), ("logo.ico", b"\0\0\x01\0\x01", "program")],
        *[("IM7.dcm", b"%PDF-1.4 x", "document"), ("index.html", b"<html>", "document"), ("old.doc", OLE, "document")],
        *[("viewer.dat", bytes(9), "system file"), ("SHA256SUMS", b"ab", "system file"), ("a.bak", b"", "system file")],
        *[("page", b"\xef\xbb\xbf <!DOCTYPE html>", "document")],
        *[("Thumbs.db", OLE, "system file"), ("._IM1.dcm", b"\0\x05\x16\x07\0\2", "system file")],
        *[(".DS_Store", b"\0\0\0\x01Bud1", "system file"), ("AUTORUN.INF", b"[autorun]", "system file")],
        *[("desktop.ini", b"\xff\xfe[\0", "system file"), (".gitkeep", b"", "system file")],
        *[("README", b"Open viewer.exe", "text"), ("README.TXT", b"", "text"), ("VERSION", b"3", "text")],
        *[("LISEZMOI", "Étude sur ce disque: cliquez".encode("latin-1"), "text"), ("ЧИТАЙ", "Снимки".encode(), "text")],
        *[("notes.csv", b"a;b", "text"), ("info", "Befunde".encode("utf-16"), "text")],
        *[("pacs.sqlite", b"SQLite format 3\0", "database"), ("clip.mp4", b"\0\0\0\x18ftypmp42", "film or sound")],
    ],
)  # fmt: skip
def test_a_file_without_an_image_has_a_kind(name: str, content: bytes, expected: str, tmp_path: Path) -> None:
    assert kind(tmp_path, name, content) == expected
    assert expected in KINDS


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *[("IM0001.dcm", b"an error message"), ("IM0001.dcm", b""), ("IM0001", b""), ("IM0001", b"an error message")],
        *[("1.2.840.113619.2.5", b"<html>not found</html>"), ("film.dcm", b"<html>not found</html>")],
        *[("film.tif", b"II*\0"), ("film.bmp", b"BM1234"), ("film.jp2", b"\0\0\0\x0cjP  ")],
        *[("a", b"\xff\xd8"), ("a", bytes(range(256)) * 9), ("film.JPG", b"text"), ("IM1.dcm.part", bytes(99))],
    ],
)
def test_a_broken_image_stays_an_image(name: str, content: bytes, tmp_path: Path) -> None:
    assert kind(tmp_path, name, content) == ""


def test_a_letter_that_is_cut_at_the_end_of_the_head_is_text(tmp_path: Path) -> None:
    assert kind(tmp_path, "README", b"x" * 4095 + "é".encode()) == "text"
