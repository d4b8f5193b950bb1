from __future__ import annotations

import pytest

from admin.site.prepare.display import tracked


def test_items_pass_and_a_step_is_one_plain_line_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(tracked(iter("abc"), 3, "decoding")) == ["a", "b", "c"]
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "decoding: 3\n")


def test_a_terminal_gets_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert list(tracked(iter("abc"), 3, "decoding")) == ["a", "b", "c"]
    assert "3/3" in capsys.readouterr().err
