"""A site alone, the federation, and each model on each site's test split, in FLARE's simulator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from safetensors.numpy import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from admin.federation.simulate import simulate
from admin.jobs.package import package_job
from admin.results.result_table import show_table
from admin.results.run_results import read_results
from tests.integration.conftest import small_job

pytestmark = pytest.mark.slow
SITES = ["lindental-university", "st-brigid-general"]
EVALUATION = {"min_clients": 2, "batch_size": 8, "valid_batch_size": 4, "threads": 1, "draws": 200, "probe_draws": 1}
EVALUATION |= {"least_patients": 2}  # the test splits are tiny


@dataclass(frozen=True)
class Runs:
    """Run folders of the server: training alone, the federation after it, the evaluation of both."""

    alone: Path
    federation: Path
    evaluation: Path
    models: Path


@pytest.fixture(scope="module")
def runs(consortium: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    folder = tmp_path_factory.mktemp("cross-site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEDAID_LOCAL_MODEL", str(folder / "models" / "{site}"))
        patch.setenv("FEDAID_LEAST_PATIENTS", "2")

        def run(job: Path) -> Path:
            return simulate(job, workspace=folder / job.name, sites=SITES, data=consortium, timeout=240).parent

        alone = run(small_job(folder / "jobs", sites=2, name="local_pretrain", align_steps=0, pretrain_steps=7))
        federation = run(small_job(folder / "jobs", sites=2))
        given = read_results(federation).model
        job = package_job("evaluate_global", out=folder / "jobs", model=given, settings=EVALUATION)
        yield Runs(alone, federation, run(job), folder / "models")


def results(run: Path, name: str = "results.json") -> Any:
    return json.loads((run / "app_server" / "fedaid" / name).read_text())


def test_each_site_keeps_its_best_model_and_only_metrics_reach_the_server(runs: Runs) -> None:
    found = results(runs.alone)
    assert sorted(found["best"]) == SITES
    for site in SITES:
        state = json.loads((runs.models / site / "state.json").read_text())
        measured = [*(entry["valid"][site] for entry in found["history"]), found["last"][site]["valid"]]
        accuracies = [metrics["batch_accuracy"] for metrics in measured]
        best = accuracies.index(max(accuracies))
        assert state["round"] == found["best_rounds"][site] == best
        assert state["valid_loss"] == measured[best]["loss"]
        assert state["pairs"] == len(found["history"]) * 7 * 8, "rounds, steps, batch"
        assert results(runs.evaluation, "evaluation.json")["local_models"][site]["pairs"] == state["pairs"]
    (model,) = [path.parent.name for path in (runs.alone / "app_server").rglob("model.safetensors")]
    assert model == "round-00000", "the only model at the server is the one that all started from"


def test_the_sites_trained_from_the_same_start_and_apart(runs: Runs) -> None:
    one, other = (load_file(runs.models / site / "model.safetensors") for site in SITES)
    start = load_file(runs.alone / "app_server" / "fedaid" / "round-00000" / "model.safetensors")
    moved = [name for name in start if not np.array_equal(one[name], start[name])]
    assert len(moved) > len(start) / 2
    assert any(not np.array_equal(one[name], other[name]) for name in moved)


def test_what_admin_tools_read_of_a_run_they_read_of_this_one(runs: Runs) -> None:
    stream = StringIO()
    show_table(read_results(runs.alone), Console(file=stream, width=80))
    assert "Each site's best model, trained alone for 2 rounds." in stream.getvalue()
    assert all(site in stream.getvalue() for site in SITES)


def test_the_federation_hears_what_each_site_reached_alone(runs: Runs) -> None:
    best = results(runs.alone)["best"]
    for entry in results(runs.federation)["history"]:
        told = {site: metrics["alone_loss"] for site, metrics in entry["valid"].items()}
        assert told == pytest.approx({site: best[site]["valid"]["loss"] for site in SITES}, abs=1e-6)


def test_every_model_is_evaluated_at_every_site(runs: Runs) -> None:
    found = results(runs.evaluation, "evaluation.json")
    assert sorted(found["models"]) == ["global", *(f"local:{site}" for site in SITES)]
    for name, sites in found["models"].items():
        assert sorted(sites) == SITES, name
        assert found["left_out"][name] == {}
    assert sorted(found["data"]) == SITES
    assert all(found["data"][site]["counts"]["test"]["studies"] > 0 for site in SITES)


def test_a_model_has_at_its_site_the_test_loss_that_its_own_run_measured(runs: Runs) -> None:
    matrix = results(runs.evaluation, "evaluation.json")["models"]
    alone, federation = results(runs.alone)["best"], results(runs.federation)["best"]
    for site in SITES:
        given, own = federation[site]["test"]["loss"], alone[site]["test"]["loss"]
        assert matrix["global"][site]["loss"] == pytest.approx(given, abs=1e-3)
        assert matrix[f"local:{site}"][site]["loss"] == pytest.approx(own, abs=1e-3)
        assert given != pytest.approx(own, abs=1e-2), "or the two could not be told apart"


def test_a_site_tells_how_far_its_own_model_is_from_the_given_one(runs: Runs) -> None:
    matrix = results(runs.evaluation, "evaluation.json")["models"]
    for site in SITES:
        own, given = matrix[f"local:{site}"][site], matrix["global"][site]
        value = own["retrieval"]["recall_at_5"]["value"] - given["retrieval"]["recall_at_5"]["value"]
        assert own["difference_to_global"]["recall_at_5"]["value"] == pytest.approx(value, abs=2e-4)
        assert given["difference_to_global"] is None


@pytest.mark.parametrize("run", ["alone", "federation"])
def test_the_event_files_hold_the_numbers_of_the_results(run: str, runs: Runs) -> None:
    folder: Path = getattr(runs, run)
    found = results(folder)
    for site in SITES:
        curves = EventAccumulator(str(folder / "tb_events" / site)).Reload()
        points = [(point.step, point.value) for point in curves.Scalars("valid/loss")]
        losses = [entry["valid"][site]["loss"] for entry in found["history"]] + [found["last"][site]["valid"]["loss"]]
        assert points == [(step, np.float32(loss)) for step, loss in enumerate(losses)]
        assert len(curves.Scalars("train/contrastive")) == len(found["history"])
    assert not (folder / "mlflow.db").exists()
