from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from admin.__main__ import main
from admin.jobs.package import JOBS
from admin.jobs.settings import training_settings
from admin.study.model_evaluation import JOB, evaluate_model, evaluation_settings, evaluation_table
from admin.twin.consortium import DEMO_HOSPITALS, write_consortium
from fedaid.errors import InputError
from fedaid.flare.site.site_evaluation import evaluate_site
from fedaid.models.saved_model import load_model
from fedaid.training.processes.data_folders import DataFolders
from fedaid.training.site_worker import SiteWorker
from tests.admin.model.export.trained_models import trained, write_model

LARGE, SMALL = (hospital.name for hospital in DEMO_HOSPITALS[:2])


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site that can fill the job's batches, and one that cannot."""
    folder = tmp_path_factory.mktemp("sites")
    sizes = zip(DEMO_HOSPITALS[:2], (120, 24), strict=True)
    write_consortium(folder, hospitals=[replace(hospital, studies=size) for hospital, size in sizes], image_size=32)
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(trained(max_tokens=48), tmp_path_factory.mktemp("trained") / "model")


def test_the_numbers_are_those_that_the_job_has_its_sites_compute(sites: Path, model: Path, tmp_path: Path) -> None:
    loaded = load_model(model)
    data = DataFolders(sites / LARGE, tmp_path).load(loaded.configuration)
    worker = SiteWorker(loaded, data, training_settings(JOBS / JOB), site=LARGE)
    found = evaluate_model(model, {LARGE: sites / LARGE})
    assert found["models"]["global"][LARGE] == evaluate_site(worker, evaluation_settings())
    assert found["models"]["global"][LARGE]["loss"] is not None


def test_own_findings_are_added_to_the_job_s_settings(tmp_path: Path) -> None:
    file = tmp_path / "own.yml"
    file.write_text("Misplaced tube: {positive: The tube is malpositioned., negative: No tube.}\n")
    found = evaluation_settings(file)
    assert list(found.own_findings) == ["Misplaced tube"]
    assert replace(found, own_findings={}) == evaluation_settings()


def test_the_settings_are_the_job_s() -> None:
    assert evaluation_settings().draws == 1000
    config = json.loads((JOBS / JOB / "app/config/config_fed_client.json").read_text())
    arguments = config["executors"][0]["executor"]["args"]
    assert training_settings(JOBS / JOB).valid_batch_size == arguments["valid_batch_size"]


def test_each_site_has_a_row_and_the_envelope_has_the_keys_of_the_job_s_file(
    sites: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "new" / "evaluation.json"
    words = ["evaluate", str(model), "--data", str(sites), "--out", str(file)]
    assert main([*words, "--format", "json"]) == 0
    printed = capsys.readouterr()
    assert f"warning: site {SMALL} withholds all (test patients: " in printed.err
    data = json.loads(printed.out)["data"]
    assert data.pop("written") == str(file)
    assert data == json.loads(file.read_text())
    assert set(data) == {"global_model", "models", "data"}
    lines = evaluation_table(data).splitlines()
    assert [line.split()[0] for line in lines] == ["site", *sorted((LARGE, SMALL))]
    assert lines[0].split("  ")[0] == "site"
    (row,) = (line for line in lines if line.startswith(LARGE))
    recall = data["models"]["global"][LARGE]["retrieval"]["recall_at_5"]["value"]
    assert f"{recall:.2f} (" in row
    assert "not" in next(line for line in lines if line.startswith(SMALL)), "too few patients for an AUROC"


def test_a_site_without_training_studies_is_refused(sites: Path, model: Path, tmp_path: Path) -> None:
    only = Path(shutil.copytree(sites / SMALL, tmp_path / "only"))
    manifest = only / "manifest.csv"
    manifest.write_text(manifest.read_text().replace(",train,", ",test,"))
    with pytest.raises(InputError, match="SITE_DIR must have at least 2 usable train studies, got 0: site only"):
        evaluate_model(model, {"only": only})


def test_without_a_metric_it_fails_and_names_each_site_with_its_patients(
    sites: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(model), "--data", str(sites / SMALL)]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    said = rf"error: no site reports a metric: site {SMALL} withholds all \(test patients: \d, least_patients: 5\)"
    assert re.fullmatch(said, error)


def test_two_sites_of_one_name_are_refused(sites: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(model), "--data", str(sites), str(sites / SMALL)]) == 1
    assert f"error: --data has two sites named {SMALL}. Rename a folder" in capsys.readouterr().err


def test_a_folder_without_a_model_is_refused_in_one_line(sites: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(sites), "--data", str(sites)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: MODEL_FOLDER must be a model that a run left")
    assert error.count("\n") == 1
