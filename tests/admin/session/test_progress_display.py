from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from admin.session.job_progress import Progress
from admin.session.progress_display import ProgressDisplay, clock, line, picture

SECOND = Progress("pretrain", 1, 4, {"b": 2.5, "a": 0.69314}, {"a": 0.25, "b": 0.75}, elapsed=61.0, remaining=3723.4)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_line_tells_round_phase_times_losses_and_weights() -> None:
    assert line(SECOND) == (
        "round 2/4  pretrain  elapsed 0:01:01  remaining 1:02:03  loss a=0.6931 b=2.5000  weight a=0.250 b=0.750"
    )


def test_before_the_first_loss_a_line_says_so() -> None:
    assert line(Progress("align", 0, 4)) == "round 1/4  align  elapsed 0:00:00  remaining -  loss -  weight -"


def test_after_the_last_round_the_count_stays_within_the_plan() -> None:
    assert line(replace(SECOND, current_round=4)).startswith("round 4/4")


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "-"), (0.4, "0:00:00"), (59.6, "0:01:00"), (360000.0, "100:00:00")]
)
def test_a_clock_shows_hours_minutes_seconds(seconds: float | None, text: str) -> None:
    assert clock(seconds) == text


def test_without_a_terminal_only_a_change_writes_a_line() -> None:
    stream = io.StringIO()
    with ProgressDisplay(stream) as display:
        display.show(SECOND)
        display.show(replace(SECOND, elapsed=62.0, remaining=60.0))
        display.show(replace(SECOND, phase="validate"))
    assert [text.split("  ")[1] for text in stream.getvalue().splitlines()] == ["pretrain", "validate"]


def test_a_note_is_written_once() -> None:
    stream = io.StringIO()
    with ProgressDisplay(stream) as display:
        display.show(replace(SECOND, notes=("site b has torch 1.0, the server 2.0",)))
        display.show(replace(SECOND, phase="validate", notes=("site b has torch 1.0, the server 2.0",)))
    assert stream.getvalue().count("warning: site b has torch 1.0, the server 2.0\n") == 1


def test_a_terminal_gets_a_live_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with ProgressDisplay(stream) as display:
        display.show(SECOND)
    assert "round 2/4" in stream.getvalue()
    assert "\x1b[" in stream.getvalue()


def test_the_picture_has_a_row_for_every_site() -> None:
    console = Console(file=io.StringIO(), width=80)
    with console.capture() as captured:
        console.print(picture(SECOND))
    rows = [row.split() for row in captured.get().splitlines()]
    assert ["a", "0.6931", "0.250"] in rows
    assert ["b", "2.5000", "0.750"] in rows
