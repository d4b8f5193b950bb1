from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from admin.jobs.methods import METHODS
from admin.study.compare import trial as module
from admin.study.compare import trials as study
from admin.study.compare.trial import Trial
from admin.study.compare.trials import TrialFailed, result_file, run_trials

SETTINGS = {"align_steps": 1, "pretrain_steps": 2, "num_rounds": 1}


def trial(method: str = "fedavg", **changes: Any) -> Trial:
    plain = Trial("set-0", {"a": "/a"}, {}, method, 0, {"image_size": 8}, SETTINGS, cache="/cache")
    return replace(plain, **changes)


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[Trial]:
    """Trials that a process was started for; each writes its method as its result."""
    started: list[Trial] = []

    class Ended:
        returncode = 0

    def run(command: list[str], **_: Any) -> Ended:
        given = Trial(**json.loads(Path(command[-2]).read_text()))
        started.append(given)
        if given.method != "moon":
            Path(command[-1]).write_text(json.dumps({"seconds": 1.0, "method": given.method}))
        return Ended()

    monkeypatch.setattr(study.subprocess, "run", run)
    return started


def test_what_has_a_result_is_not_run_again(commands: list[Trial], tmp_path: Path) -> None:
    first = run_trials([trial(), trial("afl")], tmp_path, processes=1)
    again = run_trials([trial(), trial("afl"), trial("fedprox")], tmp_path, processes=1)
    assert [one.method for one in commands] == ["fedavg", "afl", "fedprox"]
    assert {name: again[name] for name in first} == first


@pytest.mark.parametrize(
    "change", [{"seed": 1}, {"settings": {**SETTINGS, "num_rounds": 2}}, {"model": {}}, {"sites": {"b": "/b"}}]
)
def test_another_configuration_has_another_result(change: dict[str, Any]) -> None:
    assert trial(**change).name != trial().name


@pytest.mark.parametrize("changed", ["fedavg", "local"])
def test_a_method_that_is_set_otherwise_has_another_result(changed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = trial().name
    other = replace(METHODS[changed], settings={**METHODS[changed].settings, "initial_site_weights": "uniform"})
    monkeypatch.setattr(module, "METHODS", {**METHODS, changed: other})
    assert trial().name != before


@pytest.mark.parametrize(
    "change",
    [
        {"data": "set-1"},
        {"seed": 1},
        {"settings": {**SETTINGS, "num_rounds": 2}},
        {"model": {}},
        {"sites": {"b": "/b"}},
    ],
)
def test_what_changes_the_sites_alone_changes_the_method_that_is_held_against_them(change: dict[str, Any]) -> None:
    assert trial("local", **change).name != trial("local").name
    assert trial("fedaid_alone_baseline", **change).name != trial("fedaid_alone_baseline").name


def test_where_the_cache_lies_decides_nothing() -> None:
    assert trial(cache="/elsewhere", alone="/result.json").name == trial().name


def test_the_sites_alone_come_first_and_the_others_know_their_result(commands: list[Trial], tmp_path: Path) -> None:
    run_trials([trial("fedaid"), trial("local"), trial("local", data="other", seed=1)], tmp_path, processes=1)
    assert {one.method for one in commands[:2]} == {"local"}
    assert commands[2].alone == str(result_file(trial("local"), tmp_path))
    assert [one.alone for one in commands[:2]] == [None, None]


def test_a_trial_without_a_result_is_named_with_its_log_and_the_others_are_kept(
    commands: list[Trial], tmp_path: Path
) -> None:
    with pytest.raises(TrialFailed, match=rf"trial {trial('moon').name} failed: exit code 0 \(see .*\.log\)"):
        run_trials([trial(), trial("moon")], tmp_path, processes=1)
    assert result_file(trial(), tmp_path).exists()


def test_every_ended_trial_is_told(commands: list[Trial], tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    run_trials([trial(), trial("afl")], tmp_path, processes=2, watch=lambda one, took: told.append((one.method, took)))
    assert sorted(told) == [("afl", 1.0), ("fedavg", 1.0)]


def test_a_trial_that_fails_is_given_up_by_name_and_the_others_go_on(commands: list[Trial], tmp_path: Path) -> None:
    given_up: list[tuple[str, str]] = []
    trials = [trial("moon"), trial(), trial("afl")]
    found = run_trials(trials, tmp_path, processes=1, give_up=lambda one, why: given_up.append((one.method, str(why))))
    assert set(found) == {trial().name, trial("afl").name}
    ((method, why),) = given_up
    assert method == "moon"
    assert why.startswith(f"trial {trial('moon').name} failed: exit code 0 (see ")
