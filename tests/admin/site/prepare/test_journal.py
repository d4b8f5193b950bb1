from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from admin.site.prepare.journal import Journal, entries


@dataclass(frozen=True)
class Note:
    file: str
    text: str


def test_entries_are_there_again(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", Note) as journal:
        journal.add(Note("a", "1"))
        journal.add(Note("b", "2"))
        journal.add(Note("a", "3"))
    with Journal(tmp_path / "j", Note) as journal:
        assert list(journal) == [Note("a", "3"), Note("b", "2")]
        assert journal.get("c") is None


@pytest.mark.parametrize("lost", range(1, 26))
def test_a_torn_line_is_cut_off_and_the_next_is_whole(lost: int, tmp_path: Path) -> None:
    with Journal(tmp_path / "j", Note) as journal:
        journal.add(Note("a", "1"))
        journal.add(Note("b", "2"))
    whole = (tmp_path / "j").read_bytes()
    (tmp_path / "j").write_bytes(whole[:-lost])
    with Journal(tmp_path / "j", Note) as journal:
        assert [note.file for note in journal] == ["a"]
        journal.add(Note("b", "2"))
    assert (tmp_path / "j").read_bytes() == whole


@pytest.mark.parametrize("line", ["\\0\\0{", "7", '{"file": "a"}', '{"file": "a", "text": "1", "more": 2}'])
def test_a_line_of_another_version_counts_as_not_done(line: str, tmp_path: Path) -> None:
    (tmp_path / "j").write_text(line + "\n")
    with Journal(tmp_path / "j", Note) as journal:
        assert journal.get("a") is None
        journal.add(Note("a", "2"))
    with (tmp_path / "j").open("rb") as lines:
        assert list(entries([*lines, b'{"file": "b", "te'], Note)) == [Note("a", "2")]


def test_what_is_not_kept_is_on_file_only(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", Note, keep=lambda note: Note(note.file, "")) as journal:
        journal.add(Note("a", "1"))
        assert journal.get("a") == Note("a", "")
    with Journal(tmp_path / "j", Note) as journal:
        assert journal.get("a") == Note("a", "1")


def test_a_line_is_on_file_at_once_and_for_its_owner_only(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", Note) as journal:
        journal.add(Note("a", "1"))
        assert (tmp_path / "j").read_bytes().endswith(b'"1"}\n')
    assert (tmp_path / "j").stat().st_mode & 0o077 == 0
