from __future__ import annotations

import pytest

from admin.verbs.verb_table import VERBS
from tests.benchmarks import help_time


def test_the_help_of_every_verb_takes_less_than_half_a_second_of_the_processor(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(help_time, "TIMES", 1)
    assert help_time.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[2:-1]] == list(VERBS)
    assert lines[-1] == "above 0.5 s: no verb"


def test_a_slow_verb_fails_the_benchmark(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(help_time, "GOAL", 0.0)
    assert help_time.main(["check"]) == 1
    assert capsys.readouterr().out.endswith("above 0.0 s: check\n")
