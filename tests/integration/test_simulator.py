"""The job in FLARE's simulator, against the same rounds in plain Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from admin.federation.simulate import simulate
from admin.jobs.methods import loop_settings
from admin.jobs.settings import values_by_name
from admin.study.compare.rounds import ServerSettings, run_rounds
from admin.study.compare.sites import make_workers, read_sites
from fedaid.models.dual_encoder import DualEncoder
from tests.integration.conftest import MODEL, small_job

pytestmark = pytest.mark.slow
SITES = ["lindental-university", "st-brigid-general"]
ALL = [*SITES, "westmoor-chest-clinic"]


def test_the_job_on_flare_ends_with_the_weights_of_the_same_rounds_in_plain_python(
    consortium: Path, tmp_path: Path
) -> None:
    job = small_job(tmp_path / "jobs", sites=2)
    run = simulate(job, workspace=tmp_path / "run", sites=SITES, data=consortium, timeout=240)
    store = run / "fedaid"

    torch.set_num_threads(1)
    settings = loop_settings("fedaid", values_by_name(job))
    roots = {site: consortium / site for site in SITES}
    sites = read_sites(roots, DualEncoder(**MODEL).configuration, cache=tmp_path / "cache")
    workers = make_workers({site: sites.data(site) for site in SITES}, MODEL, settings.training)
    start = next(iter(workers.values())).tensors()
    plain = run_rounds(workers, start, ServerSettings.of(settings))
    losses = [{site: found["loss"] for site, found in entry["valid"].items()} for entry in plain.history]
    told = [{site: found.get("student_loss") for site, found in entry["valid"].items()} for entry in plain.history]

    on_flare = load_file(store / (store / "ROUND").read_text() / "model.safetensors")
    assert on_flare.keys() == plain.tensors.keys()
    moved = [name for name in start if not np.array_equal(start[name], plain.tensors[name])]
    assert len(moved) > len(start) / 2, "two rounds must have trained most tensors"
    for name, tensor in plain.tensors.items():
        np.testing.assert_array_equal(on_flare[name], tensor, err_msg=name)
    state = json.loads((store / "results.json").read_text())
    assert state["site_weights"] == pytest.approx(plain.site_weights, abs=0)
    on_the_way = [{site: valid["loss"] for site, valid in entry["valid"].items()} for entry in state["history"]]
    assert [*on_the_way, {site: splits["valid"]["loss"] for site, splits in state["last"].items()}] == losses
    students = [
        {site: valid.get("student_loss") for site, valid in entry["valid"].items()} for entry in state["history"]
    ]
    assert students == told[:-1]
    assert None not in students[1].values()
    assert state["best_round"] == plain.best_round
    assert state["site_weights"] != pytest.approx({site: 0.5 for site in SITES}), "the min-max must have moved them"


@pytest.mark.parametrize(
    "change",
    [
        {"server_optimizer": "momentum", "server_learning_rate": 0.5},
        {"server_optimizer": "adam", "server_learning_rate": 0.01, "alignment_phase": False},
    ],
    ids=["momentum in two phases", "adam in one"],
)
def test_with_a_server_optimizer_and_a_loss_baseline_the_job_equals_the_plain_rounds_too(
    change: dict[str, Any], consortium: Path, tmp_path: Path
) -> None:
    job = small_job(tmp_path / "jobs", sites=2, num_rounds=3, **change)
    store = simulate(job, workspace=tmp_path / "run", sites=SITES, data=consortium, timeout=300) / "fedaid"

    torch.set_num_threads(1)
    found = loop_settings("fedaid", values_by_name(job))
    sites = read_sites(
        {site: consortium / site for site in SITES}, DualEncoder(**MODEL).configuration, cache=tmp_path / "cache"
    )
    workers = make_workers({site: sites.data(site) for site in SITES}, MODEL, found.training)
    start = next(iter(workers.values())).tensors()
    plain = run_rounds(workers, start, ServerSettings.of(found))

    committed = store / (store / "ROUND").read_text()
    on_flare = load_file(committed / "model.safetensors")
    assert on_flare.keys() == plain.tensors.keys()
    for name, tensor in plain.tensors.items():
        np.testing.assert_array_equal(on_flare[name], tensor, err_msg=name)
    moments = load_file(committed / "server_optimizer.safetensors")
    trained = [name for name, tensor in start.items() if tensor.dtype.kind == "f" and "running" not in name]
    assert len(moments) == len(trained) * (2 if change["server_optimizer"] == "adam" else 1)
    state = json.loads((store / "results.json").read_text())
    assert state["site_weights"] == plain.site_weights
    moves = [entry["weight_move"]["baselines"].keys() for entry in state["history"]]
    assert moves == [set(), set(SITES), set(SITES)], "from the second round on every site has its student's loss"
    assert state["site_weights"] != pytest.approx({site: 0.5 for site in SITES}), "the min-max must have moved them"


@pytest.mark.parametrize(
    ("rounds", "settings"),
    [(1, {}), (2, {"moon_weight": 1.0, "local_normalisation": True, "report_student_loss": True})],
    ids=["fedaid", "with-a-memory-of-the-site"],
)
def test_fewer_threads_than_sites_give_the_same_model_though_every_task_has_its_own_process(
    rounds: int, settings: dict[str, Any], consortium: Path, tmp_path: Path
) -> None:
    job = small_job(tmp_path / "jobs", sites=2, num_rounds=rounds, task_timeout=240, **settings)
    models, results = [], []
    for threads in (1, 2):
        folder = tmp_path / f"threads-{threads}"
        store = simulate(job, workspace=folder, sites=SITES, data=consortium, threads=threads, timeout=400) / "fedaid"
        models.append(load_file(store / f"round-{rounds:05d}" / "model.safetensors"))
        results.append(json.loads((store / "results.json").read_text()))
    assert models[0].keys() == models[1].keys()
    for name in models[0]:
        np.testing.assert_array_equal(models[0][name], models[1][name], err_msg=name)
    assert results[0]["last"] == results[1]["last"]
    assert [entry["train"] for entry in results[0]["history"]] == [entry["train"] for entry in results[1]["history"]]
    assert [entry["valid"] for entry in results[0]["history"]] == [entry["valid"] for entry in results[1]["history"]]
    last = results[0]["history"][-1]
    for site, metrics in last["train"].items():
        assert (metrics["moon"] > 0) == ("moon_weight" in settings), site
        assert ("student_loss" in last["valid"][site]) == (rounds > 1), site


def test_a_site_without_data_stops_the_run_before_training_with_one_clear_line(
    consortium: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    (data / SITES[0]).mkdir(parents=True)
    for site in ALL[1:]:
        (data / site).symlink_to(consortium / site)
    job = small_job(tmp_path / "jobs", sites=3)
    with pytest.raises(RuntimeError, match="simulation failed: align must have the answers of 3 sites"):
        simulate(job, workspace=tmp_path / "run", sites=ALL, data=data, timeout=240)
    log = (tmp_path / "run" / "console.txt").read_text()
    assert f"site {SITES[0]} could not work: data_root must hold manifest.csv, got a folder without it" in log
    assert str(data) not in "".join(line for line in log.splitlines() if "could not work" in line)
    assert "pretrain" not in log.replace("fedaid_pretrain", "")
