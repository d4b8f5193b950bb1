from __future__ import annotations

from pathlib import Path

import pytest

from admin.__main__ import main
from admin.model.build_vocabulary import LEXICON, SIZE, build_vocabulary, frequent_pieces, read_lexicon
from fedaid.errors import InputError
from fedaid.models.vocabulary import VOCABULARY_FILE


def test_a_rebuild_equals_the_shipped_file() -> None:
    assert build_vocabulary() == VOCABULARY_FILE.read_text(encoding="utf-8").splitlines()


def test_check_passes_on_the_shipped_file() -> None:
    assert main(["vocabulary", "--check"]) == 0


def test_check_fails_on_a_file_that_differs(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text("[PAD]\n")
    assert main(["vocabulary", "--check", "--out", str(tmp_path / "v.txt")]) == 1


def test_a_written_file_passes_the_check(tmp_path: Path) -> None:
    assert main(["vocabulary", "--out", str(tmp_path / "v.txt")]) == 0
    assert main(["vocabulary", "--check", "--out", str(tmp_path / "v.txt")]) == 0


def test_the_vocabulary_has_its_size_and_the_whole_lexicon() -> None:
    vocabulary, lexicon = build_vocabulary(), read_lexicon(LEXICON)
    assert len(vocabulary) == SIZE
    assert len(lexicon) > 1300
    assert set(lexicon) <= set(vocabulary)


def test_pieces_are_weighted_by_count_and_length() -> None:
    pieces = frequent_pieces(["cardio", "cardia"])
    assert pieces[0] == "cardi"
    assert "##ardi" in pieces


def test_pieces_do_not_depend_on_the_order_of_words() -> None:
    assert frequent_pieces(["lung", "lobe", "lobar"]) == frequent_pieces(["lobar", "lung", "lobe", "lung"])


@pytest.mark.parametrize("entry", ["Lung", "x-ray", "#ing", "##"])
def test_an_illegal_lexicon_entry_is_named_by_its_line(entry: str, tmp_path: Path) -> None:
    (tmp_path / "lexicon.txt").write_text(f"# comment\nlung {entry}\n")
    with pytest.raises(InputError, match=r"lexicon.txt, line 2"):
        read_lexicon(tmp_path / "lexicon.txt")
