from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from admin.study.compare import trials as study
from admin.study.compare.trial import Trial
from admin.study.compare.trials import TrialFailed, result_file
from tests.benchmarks.quality.ledger import Ledger
from tests.benchmarks.quality.queue import Task, run_queue
from tests.benchmarks.quality.test_ledger import result, trial


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Trial]:
    """The trials that were run; ``afl`` fails, and one that reads the sites' own result needs its file."""
    started: list[Trial] = []

    def run(one: Trial, folder: Path) -> Any:
        file = result_file(one, folder)
        if not file.exists():
            started.append(one)
            if one.method == "afl":
                raise TrialFailed("no result")
            if one.alone is not None:
                assert json.loads(Path(one.alone).read_text())["best_round"] == {"global": 2}
            file.write_text(json.dumps(result(one)))
        return json.loads(file.read_text())

    monkeypatch.setattr(study, "result_of", run)
    return started


def queued(methods: list[str], folder: Path, ledger: Path, **options: Any) -> dict[str, Any]:
    tasks = [Task(trial(method), options.get("inputs", ())) for method in methods]
    return run_queue(tasks, Ledger(ledger), folder, processes=1, give_up=options.get("give_up"))


def test_what_the_ledger_has_is_not_run_again_on_a_machine_without_the_first_results(
    ran: list[Trial], tmp_path: Path
) -> None:
    first = queued(["fedavg", "fedaid"], tmp_path / "one", tmp_path / "set.jsonl")
    again = queued(["fedavg", "fedaid", "moon"], tmp_path / "other", tmp_path / "set.jsonl")
    assert [one.method for one in ran] == ["fedavg", "fedaid", "moon"]
    assert {name: again[name] for name in first} == first


def test_each_trial_is_in_the_ledger_as_soon_as_it_ends(ran: list[Trial], tmp_path: Path) -> None:
    with pytest.raises(TrialFailed):
        queued(["fedavg", "afl", "moon"], tmp_path / "one", tmp_path / "set.jsonl")
    assert trial("fedavg") in Ledger(tmp_path / "set.jsonl")
    failed: list[str] = []
    found = queued(
        ["fedavg", "afl", "moon"],
        tmp_path / "other",
        tmp_path / "set.jsonl",
        give_up=lambda one, _: failed.append(one.method),
    )
    assert failed == ["afl"]
    assert len(found) == 2


def test_a_result_left_by_a_run_that_was_killed_is_taken(ran: list[Trial], tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    result_file(trial(), tmp_path / "one").write_text(json.dumps(result(trial())))
    assert queued(["fedavg"], tmp_path / "one", tmp_path / "set.jsonl")
    assert ran == []
    assert trial() in Ledger(tmp_path / "set.jsonl")


def test_the_sites_own_result_is_put_back_for_who_needs_it(ran: list[Trial], tmp_path: Path) -> None:
    queued(["local"], tmp_path / "one", tmp_path / "set.jsonl")
    queued(["local", "fedaid_alone_baseline"], tmp_path / "other", tmp_path / "set.jsonl")
    assert [one.method for one in ran] == ["local", "fedaid_alone_baseline"]
    assert ran[1].alone is not None


def test_inputs_are_written_once_and_only_for_what_is_run(ran: list[Trial], tmp_path: Path) -> None:
    written: list[str] = []

    def write() -> None:
        written.append("data")

    for _ in range(2):
        queued(["fedavg", "moon"], tmp_path / "one", tmp_path / "set.jsonl", inputs=(write,))
    assert written == ["data"]
