from __future__ import annotations

from pathlib import Path

import pytest

from fedaid.data.report.deny_list import NOTHING, DenyList, read_deny_list
from fedaid.errors import InputError


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("Orlinda", "seen by ORLINDA today"),
        ("Gómez Peña", "con Gomez Pena hoy"),
        ("Gomez", "con Gómez hoy"),
        ("Krähenbühl", "mit Kraehenbuehl heute"),
        ("Kraehenbuehl", "mit Krähenbühl heute"),
        ("Weiss", "mit Weiß heute"),
        ("Weiß", "mit WEISS heute"),
        ("Maple  Grove", "from Maple\nGrove now"),
        ("O'Hara", "with O’Hara now"),
        ("RX-44/71", "no RX-44/71."),
    ],
)
def test_a_phrase_goes_in_any_case_and_accent(phrase: str, text: str) -> None:
    left, count = DenyList((phrase,)).removed(text)
    assert count == 1
    assert "[NAME]" in left
    assert len(left.split()) >= 2


def test_a_part_of_a_word_stays() -> None:
    assert DenyList(("Ann",)).removed("Annular planning") == ("Annular planning", 0)


def test_without_phrases_nothing_goes() -> None:
    assert NOTHING.removed("any text") == ("any text", 0)


def test_a_file_has_one_phrase_a_line_and_comments(tmp_path: Path) -> None:
    file = tmp_path / "deny_list.txt"
    file.write_text("\ufeff# heading\n\nOrlinda\n  Cedar   Brook \nOrlinda\n", encoding="utf-8")
    assert read_deny_list(file).phrases == ("Cedar Brook", "Orlinda")
    assert read_deny_list(tmp_path / "none.txt") == NOTHING


@pytest.mark.parametrize("content", [b"ok\nx\n", b"\xff\xfe\n", b"a" * 300])
def test_a_bad_file_is_refused_without_quoting_it(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "deny_list.txt"
    file.write_bytes(content)
    with pytest.raises(InputError) as refused:
        read_deny_list(file)
    assert "aaa" not in str(refused.value)


def test_a_list_does_not_show_its_phrases() -> None:
    assert "Orlinda" not in repr(DenyList(("Orlinda",)))
