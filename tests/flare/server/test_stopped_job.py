"""Why a job stopped is in its folder, with a code that says whether another job of the run could do better."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.shareable import Shareable

from fedaid.flare.store.stop_note import ANSWERS, INPUT, NOT_YET, SITE_INPUT, StopNote, read_stop
from fedaid.flare.wire.replies import error_reply
from tests.flare.conftest import Federation
from tests.flare.server.test_resume import job, stopped_in_round_two

__all__ = ["job"]  # a fixture
Make = Callable[..., Federation]


def failing(*, invalid: bool) -> Callable[[str, Shareable], Shareable]:
    return lambda task, shareable: error_reply(ReturnCode.BAD_TASK_DATA, "no manifest.csv", invalid=invalid)


def note_of(made: Federation) -> StopNote:
    """Runs a job that stops; what it noted is what FLARE was told."""
    made.run()
    note = read_stop(made.app)
    assert note is not None
    assert made.engine.panics == [note.text]
    return note


@pytest.mark.parametrize(
    ("invalid", "least", "code"),
    [((True, True), 2, SITE_INPUT), ((True, False), 3, SITE_INPUT), ((False, True), 2, ANSWERS)],
)
def test_the_sites_that_a_person_must_mend_are_named(
    job: Make, honest: Callable[..., Any], invalid: tuple[bool, bool], least: int, code: str
) -> None:
    answers = {"site-a": honest("site-a", 1.0)}
    answers |= {f"site-{letter}": failing(invalid=one) for letter, one in zip("bc", invalid, strict=True)}
    note = note_of(job(answers=answers, min_clients=least))
    assert note.code == code
    expected = [f"site-{letter}" for letter, one in zip("bc", invalid, strict=True) if one]
    assert sorted(note.sites) == expected
    assert all("no manifest.csv" in text for text in note.sites.values())


def test_another_setting_is_lasting_and_a_site_that_is_away_is_not(job: Make, honest: Callable[..., Any]) -> None:
    stopped_in_round_two(job)
    fewer = note_of(job(attempt=2, num_rounds=1))
    assert (fewer.code, fewer.sites) == (INPUT, {})
    two = {site: honest(site, 1.0) for site in ("site-a", "site-b")}
    away = note_of(job(answers=two, min_clients=2, attempt=2))
    assert (away.code, away.sites) == (NOT_YET, {"site-c": "not connected"})


def test_a_stop_before_the_first_round_is_followed_by_no_other_error(job: Make) -> None:
    stopped_in_round_two(job)
    made = job(attempt=2, num_rounds=1)
    made.start()
    made.controller.control_flow(made.engine.abort_signal, made.fl_ctx)  # FLARE calls it all the same
    made.controller.stop_controller(made.fl_ctx)
    assert len(made.engine.panics) == 1


def test_a_run_that_completes_leaves_no_note(job: Make) -> None:
    made = job()
    made.run()
    assert (made.engine.panics, read_stop(made.app)) == ([], None)
