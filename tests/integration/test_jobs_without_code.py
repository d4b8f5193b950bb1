"""Kits that refuse code: the installed wheel gives the bits of a job with code; anything else is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from admin.federation.provision import ProvisionedFederation
from admin.federation.simulate import simulate
from admin.jobs.package import package_job
from admin.results.run_results import RunResults, read_results
from admin.session.download import download
from admin.session.follow import COMPLETED, monitor
from admin.session.login import admin_session
from admin.session.submit import send
from fedaid.models.saved_model import WEIGHTS
from fedaid.package_hash import code_hash
from tests.integration.conftest import CONTROL, MODEL, TRAINING

pytestmark = [pytest.mark.slow, pytest.mark.long]
PROJECT = Path(__file__).parents[2] / "admin" / "project.yml"
SITES = ["hospital-lake", "hospital-north", "hospital-south"]
SETTINGS = MODEL | TRAINING | CONTROL | {"min_clients": 3}


@pytest.fixture(scope="module")
def roots(consortium: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("hospitals")
    links = {site: folder / site for site in SITES}
    for (_, link), root in zip(sorted(links.items()), sorted(consortium.iterdir()), strict=True):
        link.symlink_to(root)
    return links


@pytest.fixture(scope="module")
def federation(roots: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProvisionedFederation]:
    workspace = tmp_path_factory.mktemp("no-byoc") / "run"
    with ProvisionedFederation(workspace, PROJECT, data_roots=roots, no_byoc=True) as running:
        yield running


def ended(federation: ProvisionedFederation, job: Path, out: Path) -> tuple[str, Path]:
    """The status of a submitted job, and the server's run folder."""
    with admin_session(federation.lead_kit) as session:
        job_id = send(session, job)
        status = monitor(session, job_id, on_progress=lambda progress: None, timeout=400)
        return status, download(session, job_id, out) / "workspace" if status == COMPLETED else out


def model_of(results: RunResults) -> str:
    return hashlib.sha256((results.model / WEIGHTS).read_bytes()).hexdigest()


def test_a_job_without_code_gives_the_model_of_a_job_with_code(
    federation: ProvisionedFederation, roots: dict[str, Path], tmp_path: Path
) -> None:
    job = package_job("fedaid_pretrain", out=tmp_path / "jobs", settings=SETTINGS, code=False)
    status, folder = ended(federation, job, tmp_path / "out")
    assert status == COMPLETED
    found = json.loads((folder / "app_server" / "fedaid" / "results.json").read_text())["software"]
    assert {report["fedaid"] for report in found["sites"].values()} == {code_hash()}
    other = package_job("fedaid_pretrain", out=tmp_path / "with", settings=SETTINGS)
    data = next(iter(roots.values())).parent
    simulated = simulate(other, workspace=tmp_path / "simulation", sites=SITES, data=data)
    assert model_of(read_results(folder)) == model_of(read_results(simulated.parent))


def test_a_job_with_code_is_refused(federation: ProvisionedFederation, tmp_path: Path) -> None:
    job = package_job("fedaid_pretrain", out=tmp_path / "jobs", settings=SETTINGS)
    try:
        status, _ = ended(federation, job, tmp_path / "out")
    except RuntimeError as refusal:  # FLARE's server may refuse it at submission
        status = str(refusal)
    assert status != COMPLETED


@pytest.mark.parametrize("place", ["components", "filters"])
def test_a_class_that_no_job_of_ours_names_is_refused(
    place: str, federation: ProvisionedFederation, tmp_path: Path
) -> None:
    job = package_job("fedaid_pretrain", out=tmp_path / "jobs", settings=SETTINGS, code=False, rename=f"with-{place}")
    file = job / "app" / "config" / "config_fed_client.json"
    config = json.loads(file.read_text())
    unlisted = {"id": "other", "path": "fedaid.flare.store.run_lock.RunLock", "args": {"folder": "x", "job_id": "y"}}
    if place == "components":
        config["components"].append(unlisted)
    else:
        path = "nvflare.app_common.filters.exclude_vars.ExcludeVars"
        config["task_result_filters"][0]["filters"].insert(0, {"path": path, "args": {}})
    file.write_text(json.dumps(config))
    assert ended(federation, job, tmp_path / "out")[0] != COMPLETED
