from __future__ import annotations

from pathlib import Path

import pytest

from fedaid.data.site_path import file_inside, is_windows_path
from fedaid.data.unusable import UnusableStudy


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("images/a.dcm", "images/B.PNG", "images/c\\d.dcm"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    return tmp_path.resolve()


@pytest.mark.parametrize(
    "path", ["C:\\x\\1.dcm", "c:/x/1.dcm", "D:x\\1.dcm", "\\\\pacs\\x", "//pacs/x", "file:///C:/x"]
)
def test_drives_and_servers_are_paths_of_windows(path: str, root: Path) -> None:
    assert is_windows_path(path)
    with pytest.raises(UnusableStudy, match=r"^report-windows-path"):
        file_inside(root, path, kind="report")


@pytest.mark.parametrize("path", ["images/1.dcm", "images\\1.dcm", "/x/1.dcm", "a:b.dcm", "C", "\\x\\1.dcm", "cd:/x"])
def test_other_paths_are_not(path: str) -> None:
    assert not is_windows_path(path)


@pytest.mark.parametrize(
    ("path", "file"),
    [("images\\a.dcm", "images/a.dcm"), (".\\images\\a.dcm", "images/a.dcm"), ("images/c\\d.dcm", "images/c\\d.dcm")],
)
def test_a_backslash_separates_unless_it_belongs_to_the_name(path: str, file: str, root: Path) -> None:
    assert file_inside(root, path, kind="image") == root / file


@pytest.mark.parametrize("path", ["images/a.DCM", "Images\\A.dcm", "images/b.png"])
def test_another_case_is_named(path: str, root: Path) -> None:
    with pytest.raises(UnusableStudy, match=r"^image-other-case"):
        file_inside(root, path, kind="image")


@pytest.mark.parametrize("path", ["images\\none.dcm", "images", "IMAGES", "images/a.dcm/x", "..\\x"])
def test_what_is_not_there_is_not_found_in_another_case(path: str, root: Path) -> None:
    with pytest.raises(UnusableStudy, match=r"^image-(missing|outside-root)"):
        file_inside(root, path, kind="image")
