from __future__ import annotations

import pytest

from fedaid.flare.answers.attendance import Absence, Attendance
from fedaid.flare.store.missed_phases import MissedPhase

SITES = ["a", "b", "c"]


def phase(attendance: Attendance, *replies: str, sites: list[str] | None = None) -> list[bool]:
    """One phase with these replies; after which of them nobody is waited for."""
    attendance.begin(SITES if sites is None else sites)
    found = [attendance.replied(site) for site in replies]
    attendance.over()
    return found


def test_a_phase_waits_for_all_sites() -> None:
    assert phase(Attendance(), "b", "a", "c") == [False, False, True]


def test_a_silent_site_is_waited_for_once() -> None:
    attendance = Attendance()
    assert phase(attendance, "a", "b") == [False, False]
    assert phase(attendance, "a", "b") == [False, True]
    assert phase(attendance, "b", "a") == [False, True]


def test_a_phase_names_the_sites_that_fall_silent_in_it() -> None:
    attendance = Attendance()
    attendance.begin(SITES)
    attendance.replied("a")
    assert attendance.over() == ["b", "c"]
    attendance.begin(SITES)
    attendance.replied("a")
    assert attendance.over() == [], "they were silent before"


def test_a_site_that_answers_in_time_counts_again() -> None:
    attendance = Attendance()
    phase(attendance, "a", "b")
    assert phase(attendance, "c", "a", "b") == [False, False, True], "its answer is taken, the others are waited for"
    assert phase(attendance, "a", "b") == [False, False], "it is waited for again"


def test_a_site_that_asks_for_a_task_again_is_waited_for_once_more() -> None:
    attendance = Attendance()
    phase(attendance, "a", "b")
    attendance.asks("c")
    assert phase(attendance, "a", "b") == [False, False]
    attendance.asks("c")
    assert phase(attendance, "a", "b") == [False, True], "it has not answered since"
    phase(attendance, "a", "b", "c")
    phase(attendance, "a", "b")
    attendance.asks("c")
    assert phase(attendance, "a", "b") == [False, False], "an answer in time gives it another chance"


def test_a_site_that_asks_while_a_phase_is_open_counts_from_the_next_one() -> None:
    attendance = Attendance()
    phase(attendance, "a", "b")
    attendance.begin(SITES)
    attendance.asks("c")
    assert [attendance.replied(site) for site in ("a", "b")] == [False, True]


def test_a_site_whose_connection_is_lost_is_not_waited_for() -> None:
    attendance = Attendance()
    attendance.begin(SITES)
    assert attendance.gone("c")
    assert [attendance.replied(site) for site in ("a", "b")] == [False, True]
    assert attendance.over() == []
    attendance.asks("c")
    assert phase(attendance, "a", "b") == [False, False], "it is connected again"


def test_where_all_sites_are_silent_the_first_answer_ends_the_wait() -> None:
    attendance = Attendance()
    phase(attendance)
    assert phase(attendance, "b") == [True]


def test_absences_have_a_reason_each() -> None:
    attendance = Attendance()
    attendance.begin(SITES)
    attendance.replied("a")
    attendance.replied("b")
    attendance.fails("b", "out_of_memory", "no memory is left")
    attendance.over()
    attendance.settle(SITES, [], {"a": "update of site a in align of round 4 refused: tensor x must be finite"})
    assert attendance.missed(SITES, round_number=4, phase="align") == [
        MissedPhase(4, "align", "a", "refused", "tensor x must be finite"),
        MissedPhase(4, "align", "b", "out_of_memory", "no memory is left"),
        MissedPhase(4, "align", "c", "silent"),
    ]
    assert attendance.errors == {"b": "site b could not work (out_of_memory): no memory is left"}


def test_an_absence_is_kept_until_the_site_is_accepted() -> None:
    attendance = Attendance()
    phase(attendance, "a", "b")
    attendance.settle(SITES, ["a", "b"], {})
    phase(attendance, "a", "b", sites=["a", "b"])
    attendance.settle(["a", "b"], ["a", "b"], {})
    assert attendance.absences == {"c": Absence("silent")}
    phase(attendance, *SITES)
    attendance.settle(SITES, SITES, {})
    assert attendance.absences == {}


def test_what_a_silent_site_sent_instead_of_an_answer_is_known_until_it_answers() -> None:
    attendance = Attendance()
    phase(attendance, "a", "b")
    attendance.hears("c", "it sent event x")
    attendance.hears("a", "it sent event y")  # it has answered, so it is not missing
    assert attendance.missed(SITES, round_number=1, phase="align") == [
        MissedPhase(1, "align", "c", "silent", "it sent event x")
    ]
    attendance.begin(SITES)
    assert attendance.absences["c"] == Absence("silent", "it sent event x")
    attendance.replied("c")
    attendance.begin(SITES)
    assert attendance.absences["c"] == Absence("silent")


@pytest.mark.parametrize(
    ("absence", "text"),
    [
        (Absence("silent", "x"), "site a gave no answer in time: x"),
        (Absence("silent"), "site a gave no answer in time"),
        (Absence("refused", "x"), "the answer of site a was refused: x"),
        (Absence("error", "x"), "site a could not work: x"),
        (Absence("killed", "x"), "site a could not work (killed): x"),
    ],
)
def test_an_absence_is_a_sentence(absence: Absence, text: str) -> None:
    assert absence.said_of("a") == text
