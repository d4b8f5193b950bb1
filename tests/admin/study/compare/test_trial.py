from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from admin.jobs.methods import LOCAL, METHODS, POOLED
from admin.study.compare import trial as module
from admin.study.compare.judge import hits_after
from admin.study.compare.rounds import Chosen
from admin.study.compare.trial import Trial, alone_losses, main
from fedaid.errors import InputError
from fedaid.models.dual_encoder import DualEncoder

SETTINGS = {
    "batch_size": 4,
    "valid_batch_size": 2,
    "align_steps": 1,
    "pretrain_steps": 2,
    "num_rounds": 1,
    "threads": 1,
}


@pytest.fixture(autouse=True)
def decoded(tmp_path: Path, image_cache: Path) -> None:
    """All trials share their decoded images."""
    (tmp_path / "cache").symlink_to(image_cache)


def run(
    method: str, consortium: dict[str, Path], model: dict[str, Any], folder: Path, **changes: Any
) -> dict[str, Any]:
    sites = {site: str(root) for site, root in consortium.items()}
    held_out = {"others": str(next(iter(consortium.values())))}
    options = {name: value for name, value in model.items() if name != "seed"}
    trial = Trial("set", sites, held_out, method, 0, options, SETTINGS, str(folder / "cache"))
    trial = replace(trial, **changes)
    source, target = folder / f"{method}.trial", folder / f"{method}.json"
    source.write_text(json.dumps(asdict(trial)))
    main([str(source), str(target)])
    found: dict[str, Any] = json.loads(target.read_text())
    return found


def models_by_test(found: dict[str, Any], rounds: int | None = None) -> dict[str, int]:
    return {test: len(models) for test, models in hits_after(found, rounds).items()}


def test_a_federation_has_one_model_and_tests_it_everywhere(
    consortium: dict[str, Path], model_options: dict[str, Any], tmp_path: Path
) -> None:
    found = run("fedaid", consortium, model_options, tmp_path)
    assert models_by_test(found) == dict.fromkeys([*consortium, "others"], 1)
    assert [entry["round"] for entry in found["curves"]["global"]] == [0, 1]
    first = next(iter(consortium))
    hits = hits_after(found)
    assert hits[first][0].points() == hits["others"][0].points()


def test_every_model_that_was_the_best_so_far_is_tested_and_the_first_one_is(
    consortium: dict[str, Path], model_options: dict[str, Any], tmp_path: Path
) -> None:
    found = run("fedavg", consortium, model_options, tmp_path, settings={**SETTINGS, "num_rounds": 3})
    tested = [int(number) for number in found["models"]["global"]]
    assert tested[0] == 0
    assert tested == sorted(tested)
    assert tested[-1] == found["best_round"]["global"]
    loss = [max(site["loss"] for site in entry["valid"].values()) for entry in found["curves"]["global"]]
    assert tested == [n for n, value in enumerate(loss) if all(value < before for before in loss[:n])]
    assert found["seconds"] > 0


@pytest.mark.slow
def test_every_method_trains_and_none_is_another_by_mistake(
    consortium: dict[str, Path], model_options: dict[str, Any], tmp_path: Path
) -> None:
    settings = {**SETTINGS, "num_rounds": 3, "loss_baseline": "student", "report_student_loss": True}  # as the job's
    settings["dual_step_size"] = 0.05  # the weights stay within the ball, at whose edge all are alike
    alone = str(tmp_path / f"{LOCAL}.json")
    reached = {
        method: run(method, consortium, model_options, tmp_path, settings=settings, alone=alone) for method in METHODS
    }
    apart = {LOCAL, POOLED, "fedaid_teacher_schedule"}  # so young a teacher binds nobody: it is fedaid_no_binding
    shared = [method for method in METHODS if method not in apart]
    of_federation = {tuple(sorted(losses(reached[method]).items())) for method in shared}
    assert len(of_federation) == len(shared)
    assert reached[LOCAL]["curves"].keys() == consortium.keys()
    for method in METHODS:
        assert set(hits_after(reached[method])) == {*consortium, "others"}
        for curve in reached[method]["curves"].values():
            assert np.isfinite([site["loss"] for entry in curve for site in entry["valid"].values()]).all(), method


def losses(found: dict[str, Any]) -> dict[str, float]:
    """Site → validation loss of the last model of a federation."""
    return {site: metrics["loss"] for site, metrics in found["curves"]["global"][-1]["valid"].items()}


def test_the_first_rounds_of_a_long_run_are_a_short_one(
    consortium: dict[str, Path], model_options: dict[str, Any], tmp_path: Path
) -> None:
    long = run("fedaid", consortium, model_options, tmp_path, settings={**SETTINGS, "num_rounds": 3})
    short = run("fedaid", consortium, model_options, tmp_path, settings={**SETTINGS, "num_rounds": 2})
    cut, whole = hits_after(long, 2), hits_after(short)
    assert {name: [one.as_json() for one in models] for name, models in cut.items()} == {
        name: [one.as_json() for one in models] for name, models in whole.items()
    }
    assert long["curves"]["global"][1] == short["curves"]["global"][1]


def test_alone_each_site_has_its_own_model_and_all_are_tested_on_the_held_out(
    consortium: dict[str, Path], model_options: dict[str, Any], tmp_path: Path
) -> None:
    found = run("local", consortium, model_options, tmp_path)
    assert set(found["curves"]) == set(consortium)
    assert models_by_test(found) == dict.fromkeys(consortium, 1) | {"others": 2}


def test_a_site_with_some_tensors_of_its_own_is_tested_with_these(
    consortium: dict[str, Path], model_options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = consortium
    own, tested, judged = DualEncoder(**model_options | {"seed": 5}).state_dict(), module.Bench.tested, module.judge
    at_first = {name: tensor.numpy() for name, tensor in own.items()}

    def with_own(bench: Any, chosen: Chosen, tests: Any) -> Any:
        return tested(bench, replace(chosen, at={first: at_first}), tests)

    seen: list[set[str]] = []
    monkeypatch.setattr(module.Bench, "tested", with_own)
    monkeypatch.setattr(module, "judge", lambda model, tests, of: seen.append(set(tests)) or judged(model, tests, of))
    found = run("fedavg", consortium, model_options, tmp_path)
    assert seen == [{second, "others"}, {first}] * len(found["models"]["global"])
    assert models_by_test(found) == dict.fromkeys([first, second, "others"], 1)


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
    with_alone = Trial("set", {}, {}, "fedaid_alone_baseline", 0, {}, SETTINGS, "", alone=str(tmp_path / "local.json"))
    for site, loss in alone_losses(with_alone).items():
        best = found["best_round"][site]
        assert loss == found["curves"][site][best]["valid"][site]["loss"]


def test_a_method_whose_baseline_is_training_alone_needs_the_result_of_it_and_no_other_does(
    consortium: dict[str, Path], model_options: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(
        InputError, match="alone must be the file with the result of the sites alone, got None: trial set-fedaid_alone"
    ):
        run("fedaid_alone_baseline", consortium, model_options, tmp_path)
    run("fedavg", consortium, model_options, tmp_path, alone=str(tmp_path / "failed.json"))


def test_a_change_overrides_the_method_and_has_a_name_and_a_label_of_its_own(
    consortium: dict[str, Path], model_options: dict[str, Any], tmp_path: Path
) -> None:
    plain = run("fedprox", consortium, model_options, tmp_path)
    found = run("fedprox", consortium, model_options, tmp_path, changes={"proximal_weight": 100.0})
    assert found["curves"]["global"][0] == plain["curves"]["global"][0]
    assert found["curves"]["global"][1] != plain["curves"]["global"][1]
    one = Trial("set", {}, {}, "fedprox", 0, {}, SETTINGS, "")
    changed = replace(one, changes={"proximal_weight": 100.0})
    assert (one.label, changed.label) == ("fedprox", "fedprox, proximal_weight=100.0")
    assert one.name != changed.name


def test_what_is_off_or_lies_elsewhere_does_not_change_a_name() -> None:
    one = Trial("set", {"a": "/a"}, {"b": "/b"}, "fedaid", 0, {}, SETTINGS, "")
    same = replace(one, settings={**SETTINGS, "a_term_that_is_new": 0.0}, models="/elsewhere", sites={"a": "/other"})
    assert same.name == one.name
    assert replace(one, settings={**SETTINGS, "a_term_that_is_new": 0.1}).name != one.name
    assert replace(one, inflated={"a": 10.0}).name != one.name


@pytest.fixture
def labelled(consortium: dict[str, Path], tmp_path: Path) -> dict[str, Path]:
    """The consortium, each study with one of two classes as its only label."""
    found = {}
    for site, root in consortium.items():
        found[site] = Path(shutil.copytree(root, tmp_path / site))
        header, *lines = (root / "manifest.csv").read_text().splitlines()
        lines = sorted(lines, key=lambda line: line.split(",")[-2])  # so that every split has both classes
        rows = [",".join([*line.split(",")[:-1], "even" if number % 2 else "odd"]) for number, line in enumerate(lines)]
        (found[site] / "manifest.csv").write_text("\n".join([header, *rows]) + "\n")
    return found


def test_with_classes_a_test_measures_classification_and_a_probe_follows(
    labelled: dict[str, Path], model_options: dict[str, Any], tmp_path: Path
) -> None:
    classes = {"even": ["An even number."], "odd": ["An odd number."]}
    found = run("fedavg", labelled, model_options, tmp_path, classes=classes)
    for scores in (models[0] for models in hits_after(found).values()):
        assert scores.metric == "auroc"
        assert 0 <= float(scores.points()) <= 100
    assert set(found["probes"]["global"]) == {*labelled, "others"}
    assert all(set(of) == {"1", "10", "100"} for of in found["probes"]["global"].values())
