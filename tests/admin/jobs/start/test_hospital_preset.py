from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from admin.__main__ import main
from admin.jobs.package import JOBS, source_job
from admin.jobs.settings import settable
from admin.jobs.start.hospital_preset import hospital_settings
from admin.jobs.start.started_job import Start
from fedaid.errors import InputError
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.saved_model import save_model

PRESENT = settable(source_job("fedaid_pretrain", JOBS))
LOCAL: dict[str, object] = {"image_encoder": "local:rad-dino", "persistor.model.text_encoder": {"name": "local:bert"}}


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """A finished model of two small transformers."""
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    options: dict[str, Any] = {"image_encoder": {"name": "vit", "patch_size": 8} | sizes, "image_size": 32}
    made = DualEncoder(text_encoder={"name": "bert"} | sizes, **options)
    tensors = {name: tensor.numpy() for name, tensor in made.state_dict().items()}
    (tmp_path / "pilot").mkdir()
    save_model(tmp_path / "pilot", tensors, configuration=made.configuration, vocabulary_hash=made.vocabulary_hash)
    return Start(tmp_path / "pilot")


def test_pretrained_towers_are_frozen_and_numbers_are_short() -> None:
    assert hospital_settings(LOCAL, present=PRESENT, start=None) == {
        "image_encoder": {"name": "local:rad-dino", "frozen": True},
        "persistor.model.text_encoder": {"name": "local:bert", "frozen": True},
        "precision": "auto",
        "wire_dtype": "bf16",
    }


def test_with_adapters_the_towers_train_by_them() -> None:
    found = hospital_settings(LOCAL | {"adapters": {"rank": 8}}, present=PRESENT, start=None)
    assert found["image_encoder"] == {"name": "local:rad-dino"}
    assert found["adapters"] == {"rank": 8}
    assert found["gradient_checkpointing"] is True


def test_a_chosen_setting_wins() -> None:
    own = {
        "image_encoder": {"name": "local:rad-dino", "frozen": False},
        "executor.precision": "fp32",
        "wire_dtype": "int8",
    }
    found = hospital_settings(LOCAL | own, present=PRESENT, start=None)
    assert {name: found[name] for name in own} == own
    assert "precision" not in found


@pytest.mark.parametrize("tower", ["image_encoder", "text_encoder"])
def test_a_tower_with_random_weights_is_refused(tower: str) -> None:
    others = {name: value for name, value in LOCAL.items() if not name.endswith(tower)}
    with pytest.raises(InputError, match=rf"^{tower} must be a pretrained encoder, local:FOLDER, got .*--from FOLDER"):
        hospital_settings(others, present=PRESENT, start=None)


def test_a_job_that_does_not_train_takes_no_preset_and_one_without_a_wire_takes_the_rest() -> None:
    with pytest.raises(InputError, match="--preset must be left out for this job"):
        hospital_settings(LOCAL, present=settable(source_job("evaluate_global", JOBS)), start=None)
    found = hospital_settings(LOCAL, present=settable(source_job("local_pretrain", JOBS)), start=None)
    assert (found["precision"], "wire_dtype" in found) == ("auto", False)


@pytest.mark.parametrize(("adapters", "frozen"), [([], True), (["--set", 'adapters={"rank": 2}'], False)])
def test_the_command_packages_it_from_a_finished_model(
    adapters: list[str], frozen: bool, start: Start, tmp_path: Path
) -> None:
    words = ["--from", str(start.folder), "--preset", "hospital", "--out", str(tmp_path / "jobs"), *adapters]
    assert main(["package", "fedaid_pretrain", *words]) == 0
    config = tmp_path / "jobs" / "fedaid_pretrain" / "app" / "config"
    model = json.loads((config / "config_fed_server.json").read_text())["components"][0]["args"]["model"]["args"]
    for tower in ("image_encoder", "text_encoder"):
        assert model[tower].get("frozen", False) is frozen
    assert (model["adapters"] or {}).get("rank") == (None if frozen else 2)
    executor = json.loads((config / "config_fed_client.json").read_text())["executors"][0]["executor"]["args"]
    assert executor["precision"] == "auto"


def test_the_command_refuses_it_without_pretrained_towers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["package", "fedaid_pretrain", "--preset", "hospital", "--out", str(tmp_path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: image_encoder must be a pretrained encoder, local:FOLDER, got resnet: --preset")
