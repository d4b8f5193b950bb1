from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from admin.session.display.progress_display import ProgressDisplay, at_time, line
from admin.session.display.progress_picture import clock, picture, spark_line, weight_bar
from admin.session.job_progress import Progress

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


def rows_of(progress: Progress, losses: dict[str, list[float]]) -> list[list[str]]:
    console = Console(file=io.StringIO(), width=80)
    with console.capture() as captured:
        console.print(picture(progress, losses))
    return [row.split() for row in captured.get().splitlines()]


def test_a_hospital_is_one_line_with_its_losses_as_a_curve_and_its_weight_as_a_bar() -> None:
    rows = rows_of(SECOND, {"a": [2.5, 0.69314], "b": [1.6, 2.5]})
    assert ["a", "0.6931", "█▁", "0.250", "██████▋"] in rows, "a third of the largest weight is 6 2/3 of 20 characters"
    assert ["b", "2.5000", "▅█", "0.750", "█" * 20] in rows


def test_without_weights_the_hospitals_are_shown_all_the_same() -> None:
    assert ["a", "0.6931", "▁", "-"] in rows_of(replace(SECOND, site_weights={}), {"a": [0.69314]})


def test_a_spark_line_goes_from_the_lowest_to_the_highest_and_ends_with_the_last_values() -> None:
    assert spark_line([0.0, 1.0, 7.0], scale=[0.0, 7.0]) == "▁▂█"
    assert spark_line([0.0, 1.0, 7.0], scale=[0.0, 7.0], plain=True) == "_.@"
    assert spark_line([3.0], scale=[3.0]) == "▁", "one value has no scale"
    assert len(spark_line([float(n) for n in range(99)], scale=[0.0, 98.0])) == 16


def test_a_terminal_without_block_characters_gets_plain_ones() -> None:
    assert weight_bar(0.5) == "█" * 10
    assert weight_bar(0.5, plain=True) == "#" * 10
    assert weight_bar(0.0) == ""


def test_a_curve_has_one_value_a_round_and_the_clocks_go_on() -> None:
    with ProgressDisplay(io.StringIO()) as display:
        for progress in (SECOND, replace(SECOND, elapsed=62.0), replace(SECOND, site_losses={"a": 0.5, "b": 2.0})):
            display.show(progress)
    assert display.losses == {"a": [0.69314, 0.5], "b": [2.5, 2.0]}
    later = at_time(SECOND, 10.0)
    assert (later.elapsed, later.remaining) == (71.0, 3713.4)
    assert at_time(SECOND, 9999.0).remaining == 0.0
