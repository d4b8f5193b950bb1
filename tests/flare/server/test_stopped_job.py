"""Why a job stopped is in its folder, with a code that says whether another job of the run could do better."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from typing import Any

import pytest
import torch
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.shareable import Shareable

from fedaid.flare.server import run_store
from fedaid.flare.server.gated_scatter_gather import LOOP_ERROR
from fedaid.flare.server.persistor import RunPersistor
from fedaid.flare.server.update_store import UpdateStore
from fedaid.flare.store.hash_chain import HashChain, lines_of
from fedaid.flare.store.missed_phases import MissedPhase, Retry, missed_of, retries_of
from fedaid.flare.store.run_ledger import LEDGER
from fedaid.flare.store.run_ledger import STOP as STOP_LINE
from fedaid.flare.store.stop_note import ANSWERS, INPUT, NOT_YET, SITE_INPUT, STORAGE, StopNote, read_stop
from fedaid.flare.wire.messages import model_from_shareable
from fedaid.flare.wire.replies import error_reply
from fedaid.flare.wire.tasks import ALIGN
from tests.flare.conftest import Federation
from tests.flare.server.test_resume import job, stopped_in_round_two

__all__ = ["job"]  # a fixture
Make = Callable[..., Federation]
PUT, WRITE = UpdateStore.put, HashChain._write


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


@pytest.mark.parametrize("at", [0, 1])
def test_what_sites_missed_in_a_round_that_stopped_is_in_the_results_of_the_next_job(
    at: int, job: Make, honest: Callable[..., Any]
) -> None:
    good = honest("site-c", 3.0)

    def away(task: str, shareable: Shareable) -> Shareable | None:
        return None if model_from_shareable(shareable).round_number >= at else good(task, shareable)

    answers = {site: honest(site, loss) for site, loss in (("site-a", 1.0), ("site-b", 2.0))}
    for attempt in (1, 2):
        assert note_of(job(answers=answers | {"site-c": away}, attempt=attempt)).code == ANSWERS
    last = job(attempt=3)
    last.run()
    assert last.engine.panics == []
    results = json.loads((last.store / "results.json").read_text())
    assert missed_of(results) == [MissedPhase(at, ALIGN, "site-c", "silent")] * 2
    assert retries_of(results) == [Retry(at, ALIGN, ["site-c"])] * 2


def full(*anything: object, **named: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def cut(store: UpdateStore, site: str, update: object) -> None:
    PUT(store, site, update)  # type: ignore[arg-type]
    os.truncate(store._files[site], 20)


def lost(store: UpdateStore, site: str, update: object) -> None:
    PUT(store, site, update)  # type: ignore[arg-type]
    store._files[site].unlink()


def late(chain: HashChain) -> None:
    if b'"close"' in chain._waiting:
        full()
    WRITE(chain)


AT_SERVER = "a file at the server cannot be read or written: "
NOT_TAKEN = {
    "the model of a round": (run_store, "save_model", full, "round 1 cannot be written to the run store: No space"),
    "an accepted update is cut": (UpdateStore, "put", cut, f"{AT_SERVER}an accepted update is damaged"),
    "an accepted update is gone": (UpdateStore, "put", lost, AT_SERVER),
    "a line of the ledger": (HashChain, "_write", late, "ledger.jsonl cannot be written to the run store: No space"),
}


@pytest.mark.parametrize("place", NOT_TAKEN)
def test_a_disk_that_fails_in_a_round_is_noted_with_code_and_remedy_and_the_next_job_goes_on(
    place: str, job: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, name, fault, text = NOT_TAKEN[place]
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, fault)
        note = note_of(job(num_rounds=1))
    assert (note.code, note.sites) == (STORAGE, {})
    assert note.text.startswith(text)
    assert "Free space on " in note.text
    assert "submit the" in note.text
    again = job(num_rounds=1, attempt=2)
    again.run()
    assert again.engine.panics == []
    assert (again.store / "results.json").is_file()


def test_a_stop_for_the_disk_is_in_the_ledger(job: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(run_store, "save_model", full)
        made = job(num_rounds=1)
        note_of(made)
    assert [line["kind"] for line in lines_of(made.run_store / LEDGER)][-1] == STOP_LINE


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), RuntimeError("PytorchStreamWriter failed")])
def test_flares_own_copy_costs_no_round_and_an_old_one_does_not_stay(
    error: Exception, job: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def failing_save(*anything: object, **named: object) -> None:
        raise error

    stopped_in_round_two(job)
    made = job(attempt=2)
    monkeypatch.setattr(torch, "save", failing_save)
    (made.app / "FL_global_model.pt").write_bytes(b"of an earlier round")
    made.run()
    assert (made.engine.panics, read_stop(made.app)) == ([], None)
    assert list(made.app.glob("*.pt")) == []
    assert (made.store / "results.json").is_file()
    assert "FLARE's own copy of the model, cannot be written" in caplog.text


def test_a_disk_that_fails_at_the_start_is_noted(job: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RunPersistor, "load_model", full)
    note = note_of(job())
    assert (note.code, note.text.partition(".")[0]) == (STORAGE, f"{AT_SERVER}No space left on device")


def test_another_error_in_the_loop_is_still_an_error_of_the_job(job: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*anything: object, **named: object) -> None:
        raise KeyError("a fault of the software")

    monkeypatch.setattr(run_store, "save_model", broken)
    made = job(num_rounds=1)
    made.run()
    assert [text.startswith(LOOP_ERROR) for text in made.engine.panics] == [True]


def test_a_run_that_completes_leaves_no_note(job: Make) -> None:
    made = job()
    made.run()
    assert (made.engine.panics, read_stop(made.app)) == ([], None)


def test_a_run_store_on_a_disk_that_is_read_only_is_noted_with_its_remedy(
    job: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(folder: object, *, job_id: str) -> None:
        raise OSError(30, "Read-only file system", str(folder))

    monkeypatch.setattr("fedaid.flare.server.durable_run.RunLock", read_only)
    note = note_of(job(num_rounds=1))
    assert (note.code, note.sites) == (STORAGE, {})
    assert f"{AT_SERVER}Read-only file system. Free space on the server's disk, or mend it." in note.text
