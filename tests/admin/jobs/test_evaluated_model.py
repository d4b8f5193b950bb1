from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from admin.__main__ import main
from admin.jobs import evaluated_model
from admin.jobs.evaluated_model import add_evaluated_model
from admin.jobs.folder import META, read_object
from admin.jobs.job_check import check_job
from admin.jobs.package import JOBS, package_job
from fedaid.errors import InputError
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.saved_model import load_model, save_model

CONFIG = Path("app/config/config_fed_server.json")


@pytest.fixture
def model(tmp_path: Path, model_options: dict[str, Any]) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    made = DualEncoder(**model_options)
    tensors = {name: tensor.numpy() for name, tensor in made.state_dict().items()}
    save_model(folder, tensors, configuration=made.configuration, vocabulary_hash=made.vocabulary_hash)
    return folder


def test_the_job_carries_the_model_and_its_configuration(tmp_path: Path, model: Path) -> None:
    job = package_job("evaluate_global", out=tmp_path / "jobs", model=model)
    there, here = load_model(job / "app" / "global_model"), load_model(model)
    assert all(np.array_equal(t.numpy(), here.state_dict()[name].numpy()) for name, t in there.state_dict().items())
    persistor = json.loads((job / CONFIG).read_text())["components"][0]
    assert persistor["args"]["model"]["args"] == here.configuration


def test_a_job_about_a_model_needs_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["package", "evaluate_global", "--out", str(tmp_path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: --model must be given for this job")
    assert "Add --model FOLDER" in line


def test_a_training_job_takes_no_model(model: Path) -> None:
    with pytest.raises(InputError, match=r"^--model must be left out for this job, got .*model: fedaid_pretrain"):
        add_evaluated_model(JOBS / "fedaid_pretrain", model)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_folder_without_a_model_is_refused_by_what_it_lacks(name: str, tmp_path: Path, model: Path) -> None:
    (model / name).unlink()
    with pytest.raises(InputError, match=rf"^--model must be a folder with {name}, got model: "):
        package_job("evaluate_global", out=tmp_path / "jobs", model=model)


def test_a_config_of_something_else_is_refused(tmp_path: Path, model: Path) -> None:
    (model / "config.json").write_text('{"architectures": ["BertModel"]}')
    with pytest.raises(InputError, match=r"^config\.json must have a configuration"):
        package_job("evaluate_global", out=tmp_path / "jobs", model=model)


def test_with_named_sites_the_model_is_deployed_to_the_server_alone(model: Path, tmp_path: Path) -> None:
    job = package_job("evaluate_global", out=tmp_path / "jobs", model=model, sites=["lake", "north"])
    assert read_object(job / META)["deploy_map"] == {"app": ["server"], "app_sites": ["lake", "north"]}
    assert len(list((job / "app").rglob("model.safetensors"))) == 1
    assert list((job / "app_sites").rglob("model.safetensors")) == []
    assert check_job(job) > 0


def test_a_large_model_needs_the_names_of_the_sites(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluated_model, "LARGEST_SENT", 10)
    with pytest.raises(InputError, match=r"^model must be at most 0 MB, got .* MB: .* Name all sites: --sites"):
        package_job("evaluate_global", out=tmp_path / "jobs", model=model)


OWN = "Misplaced tube:\n  positive: The tube is malpositioned.\n  negative: [The tube is in good position.]\n"


def test_the_job_carries_own_findings_to_the_sites(tmp_path: Path, model: Path) -> None:
    file = tmp_path / "own.yml"
    file.write_text(OWN)
    words = ["package", "evaluate_global", "--model", str(model), "--prompts", str(file), "--sites", "a", "b"]
    assert main([*words, "--out", str(tmp_path / "jobs")]) == 0
    config = json.loads((tmp_path / "jobs/evaluate_global/app_sites/config/config_fed_client.json").read_text())
    own = {"Misplaced tube": {"positive": "The tube is malpositioned.", "negative": ["The tube is in good position."]}}
    assert config["executors"][0]["executor"]["args"]["own_findings"] == own


@pytest.mark.parametrize(
    ("job", "text", "said"),
    [
        ("evaluate_global", OWN.replace("positive", "positiv"), "Did you mean positive?"),
        ("evaluate_global", OWN.replace("Misplaced tube", "Edema"), "label must be another name than those of Edema"),
        ("fedavg_pretrain", OWN, "--prompts must be left out for this job, got own.yml: fedavg_pretrain"),
    ],
)
def test_own_findings_that_cannot_be_measured_are_refused_before_a_job_is_written(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str], job: str, text: str, said: str
) -> None:
    file = tmp_path / "own.yml"
    file.write_text(text)
    given = ["--model", str(model)] if job == "evaluate_global" else []
    assert main(["package", job, *given, "--prompts", str(file), "--out", str(tmp_path / "jobs")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert not (tmp_path / "jobs" / job).exists()
