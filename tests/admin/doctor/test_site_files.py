from __future__ import annotations

from pathlib import Path

import pytest

from admin.doctor.site_files import located, read_report, report_sources, strays
from fedaid.data.unusable import UnusableStudy


def test_a_file_below_the_root_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(b"")
    assert located(tmp_path, "a.dcm", kind="image") == tmp_path / "a.dcm"


@pytest.mark.parametrize(
    ("path", "reason"),
    [("", "image-missing"), ("b.dcm", "image-missing"), ("x\0", "image-missing"), (".", "image-missing"),
     ("../a.dcm", "image-outside-root"), ("/etc/passwd", "image-outside-root"), ("out", "image-outside-root")],
)  # fmt: skip
def test_what_is_no_file_below_the_root_has_its_reason(path: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("/etc/passwd")
    with pytest.raises(UnusableStudy) as fault:
        located(tmp_path, path, kind="image")
    assert fault.value.reason == reason


def test_the_source_of_the_report_is_the_first_that_is_there() -> None:
    assert report_sources(("image", "impression", "findings")) == ("findings", "impression")
    assert report_sources(("report", "report_path")) == ("report_path",)
    assert report_sources(("image",)) == ()


def test_a_report_in_cells_has_its_headings() -> None:
    cells = {"findings": "Clear.", "impression": " "}
    assert read_report(cells, Path(), sources=("findings", "impression")) == "FINDINGS: Clear."
    assert read_report({"report": " Clear. "}, Path(), sources=("report",)) == "Clear."


@pytest.mark.parametrize("content", [b"\xe9", b"a" * ((1 << 20) + 1)], ids=["latin", "long"])
def test_a_report_that_is_no_text_is_unreadable(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_bytes(content)
    with pytest.raises(UnusableStudy, match="report-unreadable"):
        read_report({"report_path": "r.txt"}, tmp_path, sources=("report_path",))


def test_strays_are_the_other_files_in_the_folders_of_the_named(tmp_path: Path) -> None:
    for name in ("images/a.dcm", "images/b", "images/a.txt", "other/c.dcm", "images/.hidden"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert strays(tmp_path, ["images/a.dcm", ""], reports=False) == ("images/b",)
    assert strays(tmp_path, ["images/r.txt"], reports=True) == ("images/a.txt",)


def test_beside_the_manifest_only_files_with_the_ending_of_an_image_are_strays(tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "manifest.csv", "notes"):
        (tmp_path / name).write_bytes(b"")
    assert strays(tmp_path, ["a.png"], reports=False) == ("b.png",)


def test_no_folder_outside_of_the_root_is_listed(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "b.png").write_bytes(b"")
    assert strays(tmp_path / "root", ["../a.png", "no\0folder/a.png"], reports=False) == ()
