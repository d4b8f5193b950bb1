from __future__ import annotations

import os
from pathlib import Path

import pytest

from admin.site.prepare.scan import Found, find_files, named_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in" / "b").mkdir(parents=True)
    for name in ("z", "b/x.dcm", ".hidden"):
        (tmp_path / "in" / name).write_text(name)
    (tmp_path / "out").write_text("elsewhere")
    return tmp_path / "in"


def test_every_file_is_found_in_a_fixed_order(folder: Path) -> None:
    assert [found.relative for found in find_files(folder)] == [".hidden", "z", "b/x.dcm"]


def test_what_is_to_be_left_out_is(folder: Path) -> None:
    assert [found.relative for found in find_files(folder, leave_out=(folder / "b", folder / "z"))] == [".hidden"]


def test_a_changed_file_has_another_stamp(folder: Path) -> None:
    before = {found.relative: found.stamp for found in find_files(folder)}
    (folder / "z").write_text("longer")
    after = {found.relative: found.stamp for found in find_files(folder)}
    assert {name for name in before if before[name] != after[name]} == {"z"}


def test_links_that_lead_out_or_nowhere_are_said_to(folder: Path) -> None:
    (folder / "away").symlink_to(folder.parent / "out")
    (folder / "gone").symlink_to("none")
    (folder / "loop").symlink_to("loop")
    (folder / "near").symlink_to("z")
    found = {one.relative: one for one in find_files(folder)}
    assert {name for name, one in found.items() if not one.inside} == {"away"}
    assert {name for name, one in found.items() if one.stamp == "none"} == {"gone", "loop"}


def test_a_folder_that_cannot_be_read_is_found_itself(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look = os.scandir

    def refuse(path: str) -> object:
        if Path(path).name == "b":
            raise PermissionError(13, "Permission denied", path)
        return look(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert [found.relative for found in find_files(folder)] == [".hidden", "z", "b"]


def test_a_link_to_a_folder_outside_is_found_and_one_inside_is_not(folder: Path) -> None:
    (folder.parent / "far").mkdir()
    (folder / "away").symlink_to(folder.parent / "far")
    (folder / "near").symlink_to("b")
    found = {one.relative: one.inside for one in find_files(folder)}
    assert found == {".hidden": True, "away": False, "b/x.dcm": True, "z": True}
    assert "away" not in {one.relative for one in find_files(folder, leave_out=(folder.parent / "far",))}


def test_no_path_shows_in_a_repr() -> None:
    assert "DOE" not in repr(Found("DOE^JANE/1", "1-2"))


def test_named_files_come_in_their_order_and_stay_inside(folder: Path) -> None:
    (folder / "away").symlink_to(folder.parent / "out")
    names = ("z", "none", "../out", "away", "b/x.dcm", str(folder.parent / "out"), "a\0b", "x" * 5000)
    found = list(named_files(folder, names))
    assert [one.relative for one in found] == list(names)
    assert [one.inside for one in found] == [True, True, False, False, True, False, True, True]
    assert [number for number, one in enumerate(found) if one.stamp == "none"] == [1, 6, 7]
