from __future__ import annotations

import json
from pathlib import Path

import pytest

from admin.results.stored_run import UNKNOWN, StoredRun, stored_runs
from fedaid.flare.store.hash_chain import HashChain
from fedaid.flare.store.run_ledger import LEDGER
from fedaid.flare.store.run_lock import LOCK, this_process
from fedaid.flare.store.stop_note import INPUT, StopNote, write_stop


def write_ledger(folder: Path, *, rounds: int, attempts: int = 1, planned: int = 4) -> None:
    """Writes the ledger of a run that committed some rounds in its last job."""
    folder.mkdir(parents=True, exist_ok=True)
    chain = HashChain(folder / LEDGER)
    for attempt in range(1, attempts + 1):
        chain.add({"kind": "start", "attempt": attempt, "rounds": planned, "sites": ["lake", "north"]}, durable=True)
    for number in range(1, rounds + 1):
        time = f"2026-11-30T10:00:0{number}.000+00:00"
        chain.add({"kind": "commit", "attempt": attempts, "round": number, "time": time}, durable=True)


def write_download(folder: Path, run: str, *, rounds: int) -> Path:
    """Writes a download of a run's job; returns its folder of the server's app."""
    app = folder / "workspace" / "app_server"
    write_ledger(app / "fedaid", rounds=rounds)
    (folder / "workspace" / "meta.json").write_text(json.dumps({"custom_props": {"fedaid_run": run}}))
    return app


def test_a_run_store_tells_rounds_sites_last_commit_and_attempts(tmp_path: Path) -> None:
    write_ledger(tmp_path / "pilot", rounds=3, attempts=2)
    expected = StoredRun(
        "pilot", 3, 4, ("lake", "north"), "2026-11-30T10:00:03.000+00:00", 2, finished=False, alive=False
    )
    assert stored_runs(tmp_path) == {"pilot": expected}
    assert stored_runs(tmp_path / "pilot") == {"pilot": expected}


def test_a_run_whose_process_lives_is_alive_and_one_with_results_is_finished(tmp_path: Path) -> None:
    for name in ("lives", "ended"):
        write_ledger(tmp_path / name, rounds=1)
    (tmp_path / "lives" / LOCK).write_text(json.dumps(this_process()))
    (tmp_path / "ended" / LOCK).write_text(json.dumps(this_process() | {"started": "0"}))
    (tmp_path / "ended" / "finished").mkdir()
    found = stored_runs(tmp_path)
    assert [(run.alive, run.finished) for run in found.values()] == [(False, True), (True, False)]


def test_of_several_downloads_of_a_run_the_longest_counts(tmp_path: Path) -> None:
    write_download(tmp_path / "id-1", "pilot", rounds=1)
    app = write_download(tmp_path / "id-2", "pilot", rounds=2)
    write_stop(app, StopNote(INPUT, "rho must be above 0.\n  Fix."))
    found = stored_runs(tmp_path)["pilot"]
    assert (found.rounds, found.reason) == (2, "rho must be above 0. Fix.")
    assert stored_runs(tmp_path / "id-1")["pilot"].rounds == 1


@pytest.mark.parametrize("text", ["", "no JSON\n", "[]\n", '{"kind": "commit", "round": "x"}\n', '{"kind": "start"}\n'])
def test_a_line_that_is_not_as_it_was_written_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "pilot").mkdir()
    (tmp_path / "pilot" / LEDGER).write_text(text)
    found = stored_runs(tmp_path).get("pilot")
    assert found is None or (found.rounds, found.planned, found.sites) == (0, None, ())


def test_a_folder_without_runs_has_none(tmp_path: Path) -> None:
    assert stored_runs(tmp_path) == {}
    assert stored_runs(tmp_path / "none") == {}


def test_the_site_without_a_part_in_the_newest_job_is_told(tmp_path: Path) -> None:
    write_ledger(tmp_path / "pilot", rounds=1)
    chain = HashChain(tmp_path / "pilot" / LEDGER)
    chain.add({"kind": "start", "attempt": 2, "rounds": 4, "sites": ["lake"], "absent": ["east"]}, durable=True)
    assert stored_runs(tmp_path)["pilot"].absent == {"east": UNKNOWN}
    absent = [{"attempt": 2, "site": "east", "reason": "late"}]
    (tmp_path / "pilot" / "results.json").write_text(json.dumps({"absent": absent}))
    assert stored_runs(tmp_path)["pilot"].absent == {"east": "late"}
