from __future__ import annotations

from pathlib import Path

from admin.site.doctor.tolerant_table import report_sources, strays


def test_the_source_of_the_report_is_the_first_that_is_there() -> None:
    assert report_sources(("image", "impression", "findings")) == ("findings", "impression")
    assert report_sources(("report", "report_path")) == ("report_path",)
    assert report_sources(("image",)) == ()


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
