from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from admin.compare import trial as module
from admin.compare.judge import hits_from
from admin.compare.trial import Trial, alone_losses, main
from fedaid.models.dual_encoder import DualEncoder

SETTINGS = {
    "batch_size": 4,
    "valid_batch_size": 2,
    "align_steps": 1,
    "pretrain_steps": 2,
    "num_rounds": 1,
    "threads": 1,
}


def run(
    method: str, consortium: dict[str, Path], model: dict[str, Any], folder: Path, **changes: Any
) -> dict[str, Any]:
    sites = {site: str(root) for site, root in consortium.items()}
    held_out = {"others": str(next(iter(consortium.values())))}
    options = {name: value for name, value in model.items() if name != "seed"}
    trial = Trial("set", sites, held_out, method, 0, options, SETTINGS, str(folder / "cache"))
    source, target = folder / f"{method}.trial", folder / f"{method}.json"
    source.write_text(json.dumps(asdict(trial)))
    main([str(source), str(target)])
    found: dict[str, Any] = json.loads(target.read_text())
    return found


def test_a_federation_has_one_model_and_tests_it_everywhere(
    consortium: dict[str, Path], model_options: dict[str, Any], tmp_path: Path
) -> None:
    found = run("fedaid", consortium, model_options, tmp_path)
    assert {test: len(models) for test, models in found["hits"].items()} == dict.fromkeys([*consortium, "others"], 1)
    assert [entry["round"] for entry in found["curves"]["global"]] == [0, 1]
    first = next(iter(consortium))
    assert hits_from(found["hits"][first][0]).recall() == hits_from(found["hits"]["others"][0]).recall()


def test_alone_each_site_has_its_own_model_and_all_are_tested_on_the_held_out(
    consortium: dict[str, Path], model_options: dict[str, Any], tmp_path: Path
) -> None:
    found = run("local", consortium, model_options, tmp_path)
    assert set(found["curves"]) == set(consortium)
    assert {test: len(models) for test, models in found["hits"].items()} == dict.fromkeys(consortium, 1) | {"others": 2}


def test_a_site_with_some_tensors_of_its_own_is_tested_with_these(
    consortium: dict[str, Path], model_options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = consortium
    own, trained, judged = DualEncoder(**model_options | {"seed": 5}).state_dict(), module.trained, module.judge
    at_first = {name: tensor.numpy() for name, tensor in own.items()}

    def with_own(bench: Any) -> dict[str, Any]:
        return {name: replace(outcome, best_at={first: at_first}) for name, outcome in trained(bench).items()}

    seen: list[set[str]] = []
    monkeypatch.setattr(module, "trained", with_own)
    monkeypatch.setattr(module, "judge", lambda model, tests: seen.append(set(tests)) or judged(model, tests))
    found = run("fedavg", consortium, model_options, tmp_path)
    assert seen == [{first, second, "others"}, {first}]
    assert {test: len(models) for test, models in found["hits"].items()} == dict.fromkeys([first, second, "others"], 1)


def test_pooled_is_one_site_with_as_many_steps_as_all_sites_together(
    consortium: dict[str, Path], model_options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int] = []
    make = module.make_workers
    monkeypatch.setattr(module, "make_workers", lambda d, m, s: steps.append(s.pretrain_steps) or make(d, m, s))
    found = run("pooled", consortium, model_options, tmp_path)
    assert steps == [2 * (1 + 2)]
    assert set(found["curves"]) == {"pooled"}


def test_what_the_sites_reach_alone_is_the_best_of_their_validation_losses(
    consortium: dict[str, Path], model_options: dict[str, Any], tmp_path: Path
) -> None:
    found = run("local", consortium, model_options, tmp_path)
    with_alone = Trial("set", {}, {}, "fedaid", 0, {}, {}, "", alone=str(tmp_path / "local.json"))
    for site, loss in alone_losses(with_alone).items():
        best = found["best_round"][site]
        assert loss == found["curves"][site][best]["valid"][site]["loss"]
