from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from admin.study.compare import trials
from admin.study.compare.comparison import by_method
from admin.study.compare.judge import Hits
from admin.study.compare.trial import Trial
from admin.study.compare.trial import main as run_trial
from admin.study.compare.trials import TrialFailed, result_file, result_of
from admin.twin.consortia import FIVE_HOSPITALS
from tests.benchmarks.quality import __main__ as quality
from tests.benchmarks.quality import plan
from tests.benchmarks.quality.__main__ import rounds_at_equal_time
from tests.benchmarks.quality.data.data_set import DataSet
from tests.benchmarks.quality.data.twin import NOISY
from tests.benchmarks.quality.queue import Task


def data_set(*names: str) -> DataSet:
    """A data set that writes nothing."""
    return DataSet(Path("/data"), {"key": "of nothing"}, names, [], lambda _: None)


def trial(method: str, seed: int = 0, rounds: int = 10) -> Trial:
    settings = {"align_steps": 1, "pretrain_steps": 2, "num_rounds": rounds}
    return Trial(f"set-{seed}", {"a": "/a"}, {}, method, seed, {}, settings, cache="/cache")


def test_results_are_told_by_method_in_the_order_of_seeds() -> None:
    trials = [trial(method, seed) for seed in (0, 1) for method in ("fedavg", "fedaid")]
    results: dict[str, Any] = {one.name: (one.method, one.seed) for one in reversed(trials)}
    assert by_method(trials, results) == {
        "fedavg": [("fedavg", 0), ("fedavg", 1)],
        "fedaid": [("fedaid", 0), ("fedaid", 1)],
    }


def test_a_method_of_which_a_seed_failed_is_left_out_of_the_results() -> None:
    trials = [trial(method, seed) for seed in (0, 1) for method in ("fedavg", "fedaid")]
    results: dict[str, Any] = {one.name: one.seed for one in trials if (one.method, one.seed) != ("fedaid", 1)}
    assert by_method(trials, results) == {"fedavg": [0, 1]}


def test_equal_time_gives_a_slow_method_fewer_rounds_and_a_fast_one_no_more_than_it_was_run_for() -> None:
    seconds = {"fedavg": (10.0, 9.0, 90.0), "fedaid": (20.0, 20.0, 20.0), "afl": (8.0, 8.0, 8.0)}
    runs: dict[str, Any] = {m: [{"seconds": one, "rounds": 10} for one in took] for m, took in seconds.items()}
    assert rounds_at_equal_time(runs) == {"fedavg": 10, "fedaid": 4, "afl": 10}, (
        "9 s, of which each whole round takes 2"
    )


@pytest.fixture
def results_without(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """A function that makes every trial of the twin end at once, but for those of some methods, which fail."""

    def made(*failing: str) -> None:
        def run(tasks: list[Task], *_: Any, give_up: Any, **__: Any) -> dict[str, Any]:
            for one in (task.trial for task in tasks):
                if one.method in failing:
                    give_up(one, TrialFailed(f"trial {one.name} ended with exit code 1; see a.log"))
            return {task.trial.name: ended(task.trial) for task in tasks if task.trial.method not in failing}

        monkeypatch.setattr(quality, "run_queue", run)
        monkeypatch.setattr(plan, "twin", lambda *_, **__: data_set("a", NOISY))

    return made


def ended(one: Trial) -> dict[str, Any]:
    """A result of a trial."""
    hits = Hits(np.arange(4), np.ones(4, int), np.ones(4, int), np.ones(4)).as_json()
    entries = [{"round": n, "site_weights": dict.fromkeys(one.sites, 0.5)} for n in range(3)]
    models = {"global": {"0": dict.fromkeys(one.sites, hits)}}
    trial = {"sites": one.sites, "held_out": {}}
    made = {"ended": f"2026-01-0{len(one.method)}T00:00:00+00:00", "code": one.method[:3]}
    return {"trial": trial, "models": models, "curves": {"global": entries}, "seconds": 1.0, "rounds": 2, "made": made}


def test_a_failed_trial_is_named_and_the_rest_is_summarised(results_without: Any, tmp_path: Path) -> None:
    results_without("local")
    out = tmp_path / "quality.json"
    with pytest.raises(SystemExit, match=r"trial noisy-0-[0-9a-f]+-local-0-\w+ ended with exit code 1; see a\.log"):
        quality.main(["--quick", "--sets", "noisy", "--out", str(out)])
    found = json.loads(out.read_text())
    assert list(found["failed"]["noisy"]) == ["local"]
    assert set(found["sets"]["noisy"]) == set(found["equal_time"]["noisy"]) == {"pooled", "fedavg", "fedaid"}
    assert [verdict["of"] for verdict in found["verdicts"]] == ["noisy"] * 3


def test_without_fedavg_there_is_no_equal_time(results_without: Any, tmp_path: Path) -> None:
    results_without()
    quality.main(["--quick", "--sets", "noisy", "--methods", "fedaid", "--out", str(tmp_path / "quality.json")])
    found = json.loads((tmp_path / "quality.json").read_text())
    assert (list(found["sets"]["noisy"]), found["equal_time"], found["verdicts"]) == (["fedaid"], {}, [])


def test_sets_alone_leave_the_others_as_they_are_in_the_file(results_without: Any, tmp_path: Path) -> None:
    results_without()
    out = str(tmp_path / "quality.json")
    quality.main(["--quick", "--sets", "twin", "--methods", "local", "fedavg", "--out", out])
    quality.main(["--quick", "--sets", "noisy", "--methods", "fedavg", "--out", out])
    quality.main(["--quick", "--sets", "noisy", "--methods", "fedaid", "--out", out])
    found = json.loads((tmp_path / "quality.json").read_text())
    assert {name: list(methods) for name, methods in found["sets"].items()} == {
        "twin": ["local", "fedavg"],
        "noisy": ["fedaid"],
    }
    assert list(found["equal_time"]) == ["twin"], "that of the earlier run, with fedavg, is gone"
    assert list(found["measured"]) == ["twin", "noisy"]


def test_trials_of_several_versions_of_the_code_are_told(
    results_without: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results_without()
    out = tmp_path / "quality.json"
    quality.main(["--quick", "--sets", "noisy", "--methods", "local", "fedaid", "--out", str(out)])
    assert json.loads(out.read_text())["measured"]["noisy"]["trials"] == {
        "ended": ["2026-01-05T00:00:00+00:00", "2026-01-06T00:00:00+00:00"],
        "code": ["fed", "loc"],
        "processor_hours": 0.0,
    }
    assert "trials of 2 versions of the code" in capsys.readouterr().err


def test_of_a_file_of_the_other_form_nothing_is_kept(results_without: Any, tmp_path: Path) -> None:
    results_without()
    out = str(tmp_path / "quality.json")
    quality.main(["--quick", "--sets", "noisy", "--methods", "local", "--out", out])
    quality.main(["--sets", "twin", "--methods", "local", "--out", out])
    found = json.loads((tmp_path / "quality.json").read_text())
    assert (list(found["sets"]), found["quick"]) == (["twin"], False)


def test_a_set_that_failed_before_does_not_fail_a_run_without_it(results_without: Any, tmp_path: Path) -> None:
    out = str(tmp_path / "quality.json")
    results_without("local")
    with pytest.raises(SystemExit):
        quality.main(["--sets", "noisy", "--methods", "local", "--out", out])
    results_without()
    quality.main(["--sets", "twin", "--methods", "local", "--out", out])
    found = json.loads((tmp_path / "quality.json").read_text())
    assert (list(found["failed"]["noisy"]), found["failed"]["twin"]) == (["local"], {})


def test_a_set_that_is_left_out_is_said_in_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(plan, "REAL", tmp_path / "nowhere")
    out = tmp_path / "bench" / "quality.json"
    quality.main(["--sets", "real", "--out", str(out)])
    found = json.loads(out.read_text())
    assert "no pairs.csv in" in found["left_out"]["real"]
    assert (found["sets"], found["verdicts"]) == ({}, [])


def test_a_set_that_is_left_out_at_the_end_leaves_the_verdicts_of_the_others(
    results_without: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    results_without()
    monkeypatch.setattr(plan, "REAL", tmp_path / "nowhere")
    quality.main(["--quick", "--sets", "noisy", "real", "--out", str(tmp_path / "quality.json")])
    found = json.loads((tmp_path / "quality.json").read_text())
    assert len(found["verdicts"]) == 3
    assert list(found["left_out"]) == ["real"]


def test_the_quick_form_does_not_write_over_the_long_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(plan, "REAL", tmp_path / "nowhere")
    monkeypatch.chdir(tmp_path)
    quality.main(["--quick", "--sets", "real"])
    assert [file.name for file in (tmp_path / "build" / "bench").iterdir()] == ["quality-quick.json"]


def result_here(trial: Trial, folder: Path) -> Any:
    """A trial's result from this process, which has loaded what a process of its own has to load first."""
    if trial.name.startswith("twin") and trial.method == "fedavg":
        return result_of(trial, folder)
    source, file = folder / f"{trial.name}.trial", result_file(trial, folder)
    source.write_text(json.dumps(asdict(trial)), encoding="utf-8")
    run_trial([str(source), str(file)])
    return json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_the_quick_form_of_all_sets_has_the_keys_that_a_reader_looks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # the copies of real pictures
    monkeypatch.setattr(trials, "result_of", result_here)
    monkeypatch.setenv("FEDAID_MODELS", "")  # a trial sets it
    lacking, out = {name: plan.what_lacks(name) for name in plan.SETS}, tmp_path / "quality.json"
    assert "not installed" not in lacking["real"], "the text tower is part of the development environment"
    quality.main(["--quick", "--processes", "1", "--out", str(out)])
    found = json.loads(out.read_text())
    run = [name for name in plan.SETS if not lacking[name]]
    assert run[:4] == ["twin", "noisy", "liar", "pretrained"]
    assert list(found["sets"]) == list(found["equal_time"]) == run
    assert found["left_out"] == {name: reason for name, reason in lacking.items() if reason}
    assert found["failed"] == {name: {} for name in run}
    for name in run:
        for methods in (found["sets"][name], found["equal_time"][name]):
            check_methods(methods, plan.QUICK.methods[name], "auroc" if name == "films" else "recall_at_5")
    hospitals = {hospital.name for hospital in FIVE_HOSPITALS}
    assert set(found["sets"]["twin"]["fedaid"]["chance"]) == hospitals
    goals = {"twin": 4, "noisy": 3, "liar": 3, "pretrained": 3, "films": 3, "real": 3}
    assert Counter(verdict["of"] for verdict in found["verdicts"]) == {name: goals[name] for name in run}
    assert {key for verdict in found["verdicts"] for key in verdict} == {"of", "name", "value", "goal", "met", "note"}
    assert len(found["sets"]["noisy"]["fedaid"]["gap_closed"]) <= 2
    assert set(found["sets"]["noisy"]["fedaid"]["difference_to_alone"]) >= {"mean", "worst", "sites"}
    monkeypatch.setattr(trials, "result_of", lambda *_: pytest.fail("a trial in the ledger was run again"))
    before = out.read_text()
    quality.main(["--quick", "--sets", "twin", "noisy", "--processes", "1", "--out", str(out)])
    assert json.loads(out.read_text())["sets"] == json.loads(before)["sets"]


def check_methods(found: Mapping[str, Any], asked: Sequence[str], metric: str) -> None:
    assert set(found) == set(asked)
    for method in found.values():
        worst, mean, interval = method[f"worst_{metric}"], method[f"mean_{metric}"], method["interval"]
        assert 0 <= worst <= mean <= 100
        assert all(low <= high for low, high in (interval["worst"], interval["mean"]))
    assert "difference_to_fedavg" not in found["fedavg"]
    apart, base = found["fedaid"]["difference_to_fedavg"], found["fedavg"]
    for over in ("mean", "worst"):
        assert set(apart[over]) == {"low", "mid", "high"}
        assert apart[over]["low"] <= apart[over]["high"]
        gain = found["fedaid"][f"{over}_{metric}"] - base[f"{over}_{metric}"]
        assert apart[over]["mid"] == pytest.approx(gain, abs=0.02)
