from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from admin.__main__ import main
from admin.jobs import evaluated_model
from admin.jobs.job_check import check_job
from admin.jobs.package import package_job
from admin.jobs.settings import change_settings, settable
from admin.jobs.start.started_job import Start
from fedaid.errors import InputError
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.saved_model import save_model

CONFIG = Path("app/config/config_fed_server.json")
JOB = "fedaid_pretrain"


@pytest.fixture
def model(tmp_path: Path, model_options: dict[str, Any]) -> Path:
    """A finished run's model; the names above it are private."""
    return written(tmp_path / "dr-smith" / "best-00002", model_options)


def written(folder: Path, options: dict[str, Any]) -> Path:
    folder.mkdir(parents=True)
    made = DualEncoder(**options)
    tensors = {name: tensor.numpy() for name, tensor in made.state_dict().items()}
    save_model(folder, tensors, configuration=made.configuration, vocabulary_hash=made.vocabulary_hash)
    return folder


def persistor(job: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((job / CONFIG).read_text())["components"][0]["args"]
    return found


@pytest.mark.parametrize("code", [True, False])
def test_the_job_carries_the_model_its_architecture_and_its_hash(tmp_path: Path, model: Path, code: bool) -> None:
    job = package_job(JOB, out=tmp_path / "jobs", start=Start(model), code=code)
    shipped = job / "app" / "start_model" / "model.safetensors"
    assert shipped.read_bytes() == (model / "model.safetensors").read_bytes()
    args = persistor(job)
    assert args["start_sha256"] == hashlib.sha256(shipped.read_bytes()).hexdigest()[:24]
    assert (args["start_name"], args["start_towers_only"]) == ("best-00002", False)
    assert args["model"]["args"] == json.loads((model / "config.json").read_text())["configuration"]
    assert check_job(job) > 8
    texts = [file.read_text() for file in job.rglob("*.json")]
    assert not any("dr-smith" in text for text in texts)


def test_a_job_without_a_start_model_has_no_trace_of_one(tmp_path: Path) -> None:
    assert persistor(package_job(JOB, out=tmp_path)).keys() == {"model"}


def test_chosen_settings_that_do_not_change_the_architecture_win(tmp_path: Path, model: Path) -> None:
    frozen = {"name": "monai_resnet", "block_inplanes": [8, 8, 16, 16], "frozen": True}
    chosen = {"image_encoder": frozen, "persistor.model.seed": 3, "executor.seed": 4, "image_size": 32}
    args = persistor(package_job(JOB, out=tmp_path / "jobs", start=Start(model), settings=chosen))["model"]["args"]
    assert (args["image_encoder"]["frozen"], args["seed"]) == (True, 3)


def test_another_setting_of_the_architecture_is_refused_by_the_command(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["package", JOB, "--out", str(tmp_path / "jobs"), "--from", str(model), "--set", "embedding_dim=16"]
    assert main(words) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: embedding_dim must be that of the start model, 8, got 16: --from best-00002.")
    assert not (tmp_path / "jobs" / JOB).exists()
    assert main([*words, "--towers-only"]) == 0
    assert persistor(tmp_path / "jobs" / JOB)["start_towers_only"] is True
    assert persistor(tmp_path / "jobs" / JOB)["model"]["args"]["embedding_dim"] == 16


def test_another_vocabulary_file_is_refused(tmp_path: Path, model: Path) -> None:
    content = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps(content | {"vocabulary_sha256": "0" * 64}))
    with pytest.raises(InputError, match="vocabulary must have the sha256 of the start model's"):
        package_job(JOB, out=tmp_path / "jobs", start=Start(model))


def test_a_file_of_other_tensors_than_its_configuration_is_refused(
    tmp_path: Path, model: Path, model_options: dict[str, Any]
) -> None:
    other = written(tmp_path / "other", model_options | {"embedding_dim": 16})
    (model / "model.safetensors").write_bytes((other / "model.safetensors").read_bytes())
    with pytest.raises(InputError, match=r"start model must have image.alignment.projection.2.weight of shape"):
        package_job(JOB, out=tmp_path / "jobs", start=Start(model))


def test_every_job_that_trains_can_start_from_a_model_and_an_evaluation_cannot(tmp_path: Path, model: Path) -> None:
    for name in ("local_pretrain", "fedavg_pretrain"):
        assert persistor(package_job(name, out=tmp_path / "jobs", start=Start(model)))["start_name"] == "best-00002"
    with pytest.raises(InputError, match="--from must be left out for this job"):
        package_job("evaluate_global", out=tmp_path / "jobs", model=model, start=Start(model))


def test_a_folder_without_a_model_and_towers_only_alone_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match=r"^--from must be a folder with model.safetensors"):
        package_job(JOB, out=tmp_path / "jobs", start=Start(tmp_path))
    assert main(["package", JOB, "--out", str(tmp_path / "jobs"), "--towers-only"]) == 1
    assert "--towers-only needs --from FOLDER" in capsys.readouterr().err


def test_a_large_model_goes_to_the_server_alone_and_a_setting_then_to_both_apps(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluated_model, "LARGEST_SENT", 10)
    with pytest.raises(InputError, match="Name all sites: --sites"):
        package_job(JOB, out=tmp_path / "jobs", start=Start(model))
    job = package_job(JOB, out=tmp_path / "jobs", start=Start(model), sites=["lake", "north"])
    assert not (job / "app_sites" / "start_model").exists()
    change_settings(job, {"batch_size": 8, "num_rounds": 3})
    assert [settable(job)[name] for name in ("executor.batch_size", "fedaid.num_rounds")] == [8, 3]
    for app in ("app", "app_sites"):
        content = json.loads((job / app / "config" / "config_fed_client.json").read_text())
        assert content["executors"][0]["executor"]["args"]["batch_size"] == 8
    assert check_job(job) > 8
