"""The recipe in each of FLARE's environments: the simulator, its POC, and a provisioned federation of ours."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from nvflare.recipe import PocEnv, ProdEnv, SimEnv

from admin.federation.federation import free_port
from admin.federation.poc import PocFederation, poc_project
from admin.recipe import FedAIDRecipe
from admin.results.run_results import RunResults, read_results
from fedaid.models.saved_model import WEIGHTS
from tests.integration.conftest import CONTROL, MODEL, TRAINING

pytestmark = pytest.mark.slow
SITES = ["lindental-university", "st-brigid-general", "westmoor-chest-clinic"]


@pytest.fixture
def recipe(consortium: Path, monkeypatch: pytest.MonkeyPatch) -> FedAIDRecipe:
    monkeypatch.setenv("FEDAID_DATA", str(consortium / "{site}"))
    others = {name: value for name, value in CONTROL.items() if name != "num_rounds"}
    return FedAIDRecipe("pilot", min_clients=3, num_rounds=2, model=MODEL, settings=TRAINING | others)


def model_of(results: RunResults) -> str:
    return hashlib.sha256((results.model / WEIGHTS).read_bytes()).hexdigest()


def simulated(recipe: FedAIDRecipe, folder: Path) -> RunResults:
    run = recipe.execute(SimEnv(clients=SITES, workspace_root=str(folder)))
    return read_results(Path(run.get_result()) / "server" / "simulate_job")


def test_the_simulator_runs_the_recipe(recipe: FedAIDRecipe, tmp_path: Path) -> None:
    results = simulated(recipe, tmp_path / "simulation")
    assert [site.name for site in results.sites] == SITES
    assert results.rounds == 2


@pytest.fixture
def poc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PocEnv]:
    """FLARE's own POC with a port and a home of its own."""
    monkeypatch.setenv("NVFLARE_POC_WORKSPACE", str(tmp_path / "poc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    project = poc_project(SITES, free_port())
    (tmp_path / "project.yml").write_text(yaml.safe_dump(project, sort_keys=False))
    env = PocEnv(num_clients=3, clients=SITES, project_conf_path=str(tmp_path / "project.yml"))
    yield env
    env.stop()


@pytest.mark.long
def test_each_environment_gives_the_same_model(
    recipe: FedAIDRecipe, poc: PocEnv, consortium: Path, tmp_path: Path
) -> None:
    """The job of a recipe is one job, whoever runs it."""
    found = {"simulator": model_of(simulated(recipe, tmp_path / "simulation"))}
    run = recipe.execute(poc)
    found["poc"] = model_of(read_results(Path(run.get_result(timeout=300, clean_up=False)) / "workspace"))
    roots = {site: consortium / site for site in SITES}
    with PocFederation(tmp_path / "federation", SITES, data_roots=roots) as federation:
        run = recipe.execute(ProdEnv(startup_kit_location=str(federation.lead_kit)))
        found["production"] = model_of(read_results(Path(run.get_result(timeout=300)) / "workspace"))
    assert len(set(found.values())) == 1, found
