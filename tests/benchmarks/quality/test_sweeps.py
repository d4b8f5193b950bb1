from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.quality import sweeps
from tests.benchmarks.quality.plan import FINAL_SEEDS, LONG, ROUNDS, SWEEP_SEEDS
from tests.benchmarks.quality.sweeps import SWEEPS, by_seed, described, picked, tasks_of_sweep
from tests.benchmarks.quality.test_ledger import result


def test_no_seed_of_a_sweep_is_one_of_the_final_comparison() -> None:
    assert not set(SWEEP_SEEDS) & set(FINAL_SEEDS)
    assert (len(set(SWEEP_SEEDS)), len(set(FINAL_SEEDS))) == (2, 5)
    assert LONG.seeds == FINAL_SEEDS
    assert sweeps.SIZE.seeds == SWEEP_SEEDS


def test_every_number_of_rounds_has_the_same_steps_in_all() -> None:
    assert {rounds * sum(steps) for rounds, steps in ROUNDS.items()} == {480}
    assert {steps[1] / steps[0] for steps in ROUNDS.values()} == {4.0}


@pytest.mark.parametrize("name", SWEEPS)
def test_the_cells_of_a_sweep_are_different_trials(name: str, tmp_path: Path) -> None:
    cells = tasks_of_sweep(SWEEPS[name], folder=tmp_path)
    names = [task.trial.name for task in by_seed(cells)]
    assert len(set(names)) == len(names) == len(cells) * len(SWEEP_SEEDS)
    assert not any(task.all_rounds for task in by_seed(cells))


def test_a_sweep_of_the_binding_has_every_weight_start_and_number_of_rounds(tmp_path: Path) -> None:
    cells = tasks_of_sweep(SWEEPS["binding"], folder=tmp_path)
    found = set()
    for tasks in cells.values():
        trial = tasks[0].trial
        started = str(trial.model["text_encoder"]).startswith("local:start-100-")
        found.add((trial.changes["binding_weight"], started, trial.settings["num_rounds"]))
    assert found == {(w, s, r) for w in (0.0, 0.1, 0.3, 1.0, 3.0) for s in (True, False) for r in (12, 4, 2)}


def test_a_cell_tells_its_seeds_and_the_choice_looks_at_validation_only(tmp_path: Path) -> None:
    cells = tasks_of_sweep(SWEEPS["fedprox"], folder=tmp_path)
    results = {}
    for number, tasks in enumerate(cells.values()):
        for task in tasks[: 1 if number == 0 else 2]:
            found = result(task.trial, seed=number)
            for entry in found["curves"]["global"]:
                entry["valid"]["b"]["batch_accuracy"] = 0.1 * number if number < 3 else 0.0
            results[task.trial.name] = found
    told = described(cells, results)
    assert [of["seeds"] for of in told.values()] == [[100], [100, 101], [100, 101], [100, 101]]
    assert [of["valid_over_seeds"] for of in told.values()] == pytest.approx([0.0, 10.0, 20.0, 0.0])
    assert picked(told) == list(cells)[2]
    for of in told.values():
        assert all(worst <= mean for worst, mean in zip(of["worst"], of["mean"], strict=True))
        assert of["processor_seconds"] == [12.5] * len(of["seeds"])
