from __future__ import annotations

from pathlib import Path

import pytest

from fedaid.atomic_file import private_file, replace_text, replacing, write_private


def test_a_reader_sees_the_old_file_until_the_new_one_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("old")
    with replacing(file) as draft:
        draft.write_text("half")
        assert file.read_text() == "old"
        draft.write_text("new")
    assert file.read_text() == "new"
    assert list(tmp_path.iterdir()) == [file]


def test_an_error_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("old")

    def fail() -> None:
        with replacing(file) as draft:
            draft.write_text("half")
            raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        fail()
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_draft_that_a_crash_left_behind_is_replaced(tmp_path: Path) -> None:
    with replacing(tmp_path / "f") as draft:
        name = draft.name
        draft.write_text("x")
    (tmp_path / name).write_text("of a process that was killed")
    replace_text(tmp_path / "f", "new")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("f", "new")]


def test_two_writers_of_one_file_do_not_share_a_draft(tmp_path: Path) -> None:
    with replacing(tmp_path / "f", writer="1.") as one, replacing(tmp_path / "f", writer="2.") as other:
        one.write_text("one")
        other.write_text("other")
    assert (tmp_path / "f").read_text() == "one"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_private_file_is_closed_to_others_from_the_start(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("old")
    with private_file(tmp_path / "f") as opened:
        opened.write("new")
        assert {file.stat().st_mode & 0o077 for file in tmp_path.iterdir() if file.name != "f"} == {0}
    assert (tmp_path / "f").read_text() == "new"
    assert (tmp_path / "f").stat().st_mode & 0o077 == 0
    assert len(list(tmp_path.iterdir())) == 1


def test_a_name_in_another_encoding_is_escaped(tmp_path: Path) -> None:
    write_private(tmp_path / "f", "a\udcffb\r\n")
    assert (tmp_path / "f").read_bytes() == b"a\\udcffb\r\n"
