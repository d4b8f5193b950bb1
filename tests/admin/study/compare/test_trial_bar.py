from __future__ import annotations

import io

import pytest
from rich.console import Console

from admin.study.compare.trial import Trial
from admin.study.compare.trial_bar import TrialBar
from admin.study.compare.trials import TrialFailed

TRIAL = Trial("data", {}, {}, "fedavg", 2, {}, {}, cache="/cache")


def test_elsewhere_than_on_a_terminal_each_trial_is_a_line_on_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with TrialBar("trials", 2) as bar:
        bar.watch(TRIAL, 12.3)
        bar.give_up(TRIAL, TrialFailed("no reason"))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == ["1/2 fedavg 2: 12 s", "2/2 fedavg 2 failed"]
    assert bar.failed == {"fedavg": "no reason"}


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    terminal = Console(file=stream, force_terminal=True, width=100)
    monkeypatch.setattr("admin.study.compare.trial_bar.Console", lambda **_: terminal)
    with TrialBar("trials", 1) as bar:
        bar.watch(TRIAL, 12.3)
    assert "1/1" in stream.getvalue()
    assert "fedavg 2: 12 s" in stream.getvalue()
