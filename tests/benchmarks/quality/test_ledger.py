from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from admin.study.compare.judge import Hits, hits_after
from admin.study.compare.summary import summarise
from admin.study.compare.trial import Trial
from tests.benchmarks.quality.ledger import Ledger

STEPS = {"align_steps": 1, "pretrain_steps": 2}
PATIENTS, ALIKE = np.array([0, 0, 1, 2, 5]), np.array([1, 2, 2, 1, 1])


def trial(method: str = "fedavg", **changes: Any) -> Trial:
    return Trial("set-0", {"a": "/a", "b": "/b"}, {"others": "/c"}, method, 0, {}, STEPS, "", changes=changes)


def result(one: Trial, *, seed: int = 0, scores: bool = False) -> dict[str, Any]:
    """A result with two models that were the best so far."""
    rng = np.random.default_rng(seed)

    error = {"calibration": 12.34} if seed else {}

    def hits() -> dict[str, Any]:
        if scores:
            of_classes = np.concatenate([np.zeros((5, 1), int), rng.integers(-(2**14), 2**14, (5, 2))], axis=1)
            return {"patients": PATIENTS.tolist(), "target": [0, 1, 2, 0, 1], "scores": of_classes.tolist()} | error
        found = [rng.integers(0, 2, 5) for _ in range(2)]
        return Hits(PATIENTS, *found, 1 / ALIKE).as_json() | error

    entries = [
        {
            "round": number,
            "site_weights": {"a": 0.25, "b": 0.75},
            "valid": {site: {"loss": 1.23456, "batch_accuracy": 0.5, "recall_at_5": 0.1} for site in ("a", "b")},
        }
        for number in range(3)
    ]
    models = {number: {test: hits() for test in ("a", "b", "others")} for number in ("0", "2")}
    made = {"ended": "2026-01-01", "code": "abc", "processor_seconds": 12.5}
    told = {"trial": {"sites": ["a", "b"], "held_out": ["others"], "label": one.label, "seed": one.seed}}
    done = {"best_round": {"global": 2}, "curves": {"global": entries}, "models": {"global": models}, "made": made}
    probes = {"global": {"a": {"1": 60.0}}} if scores else {"global": {}}
    return {**told, **done, "seconds": 3.25, "rounds": 2, "probes": probes}


@pytest.mark.parametrize("scores", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_result_comes_back_from_its_line(scores: bool, seed: int, tmp_path: Path) -> None:
    one = trial()
    given = result(one, seed=seed, scores=scores)
    Ledger(tmp_path / "set.jsonl").add(one, given, all_rounds=True)
    again = Ledger(tmp_path / "set.jsonl")
    assert one in again
    back = again.result(one)
    assert back["models"] == given["models"]
    assert back["trial"] == given["trial"]
    assert [entry["site_weights"] for entry in back["curves"]["global"]] == [{"a": 0.25, "b": 0.75}] * 3
    assert back["curves"]["global"][1]["valid"]["a"] == {"loss": 1.2346, "batch_accuracy": 0.5, "recall_at_5": 0.1}
    assert {name: back[name] for name in ("seconds", "rounds", "best_round", "made")} == {
        name: given[name] for name in ("seconds", "rounds", "best_round", "made")
    }
    assert back["probes"] == (given["probes"] if scores else {})


def test_a_summary_of_kept_results_is_that_of_the_results(tmp_path: Path) -> None:
    trials = {method: trial(method) for method in ("fedavg", "fedaid")}
    given = {method: [result(one, seed=number)] for number, (method, one) in enumerate(trials.items())}
    ledger = Ledger(tmp_path / "set.jsonl")
    for method, one in trials.items():
        ledger.add(one, given[method][0], all_rounds=True)
    kept = {method: [ledger.result(one)] for method, one in trials.items()}
    assert summarise(kept, draws=20) == summarise(given, draws=20)


def test_of_a_sweep_only_the_last_best_model_is_kept(tmp_path: Path) -> None:
    one = trial()
    given = result(one)
    ledger = Ledger(tmp_path / "set.jsonl")
    ledger.add(one, given, all_rounds=False)
    assert list(ledger.result(one)["models"]["global"]) == ["2"]
    assert str(hits_after(ledger.result(one))) == str(hits_after(given))


def test_what_the_trials_of_one_data_set_share_stands_once(tmp_path: Path) -> None:
    file = tmp_path / "set.jsonl"
    ledger = Ledger(file)
    for method in ("fedavg", "fedaid", "moon"):
        ledger.add(trial(method), result(trial(method)), all_rounds=True)
    lines = [json.loads(text) for text in file.read_text().splitlines()]
    assert ["tests" in line for line in lines] == [True, False, False, False]


def test_a_trial_of_other_settings_has_no_result(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "set.jsonl")
    ledger.add(trial(), result(trial()), all_rounds=True)
    assert trial() in ledger
    assert trial(binding_weight=0.3) not in ledger
    assert trial("moon") not in ledger


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "set.jsonl"
    Ledger(file).add(trial(), result(trial()), all_rounds=True)
    file.write_text(file.read_text() + '{"trial": "cut sho')
    with pytest.raises(ValueError, match=r"damaged one: .*set\.jsonl:3"):
        Ledger(file)
