from __future__ import annotations

from typing import Any

import pytest

from admin.session.job_progress import Progress, read_progress


def test_a_real_answer_is_read(running_stats: dict[str, Any]) -> None:
    assert read_progress(running_stats) == Progress(
        phase="pretrain",
        current_round=1,
        num_rounds=3,
        site_losses={"hosp-a": 6.0, "hosp_b": 6.5},
        site_weights={"hosp-a": 0.4, "hosp_b": 0.6},
        elapsed=1.907614735000152,
        remaining=3.815229470000304,
        sites=("hosp-a", "hosp_b"),
    )


@pytest.mark.parametrize(
    "stats", [{}, {"server": {}}, {"server": "not ready"}, None, {"server": {"SAG": {"phase": "x"}}}]
)
def test_answers_without_our_controller_give_nothing(stats: object) -> None:
    assert read_progress(stats) is None


def test_the_first_round_has_no_remaining_time(running_stats: dict[str, Any]) -> None:
    running_stats["server"]["TrivialController"]["remaining"] = None
    progress = read_progress(running_stats)
    assert progress is not None
    assert progress.remaining is None


def test_a_loss_that_is_no_number_is_left_out(running_stats: dict[str, Any]) -> None:
    running_stats["server"]["TrivialController"]["site_losses"]["hosp-a"] = "n/a"
    progress = read_progress(running_stats)
    assert progress is not None
    assert progress.site_losses == {"hosp_b": 6.5}


def test_notes_are_the_texts_of_a_list(running_stats: dict[str, Any]) -> None:
    running_stats["server"]["TrivialController"]["notes"] = ["site b has torch 1.0", 3]
    progress = read_progress(running_stats)
    assert progress is not None
    assert progress.notes == ("site b has torch 1.0",)


def test_a_round_that_is_no_number_gives_nothing(running_stats: dict[str, Any]) -> None:
    running_stats["server"]["TrivialController"]["current_round"] = "one"
    assert read_progress(running_stats) is None


def test_missed_phases_are_read_if_they_are_of_their_kind(running_stats: dict[str, Any]) -> None:
    missed = {"round": 0, "phase": "align", "site": "hosp-a", "reason": "silent", "text": ""}
    group = running_stats["server"]["TrivialController"]
    group |= {"missed": [missed], "retries": [{"round": 0, "phase": "align", "sites": ["hosp-a"]}]}
    progress = read_progress(running_stats)
    assert progress is not None
    assert progress.absences == {"missed": [missed], "retries": [{"round": 0, "phase": "align", "sites": ["hosp-a"]}]}
    missed["reason"] = "tired"
    progress = read_progress(running_stats)
    assert progress is not None
    assert progress.absences == {}
