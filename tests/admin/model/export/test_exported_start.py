from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from admin.model.export.exported_start import start_from
from admin.model.export.formats import export_model
from admin.model.export.source import read_source
from fedaid.errors import InputError
from fedaid.models.saved_model import load_model
from tests.admin.model.export.trained_models import image_embeddings, some_images, trained, write_model

VIT = {"name": "vit", "num_hidden_layers": 3, "hidden_size": 32, "num_attention_heads": 2}
MONAI = {"name": "monai_resnet", "block_inplanes": [8, 8, 16, 16]}
BERT = {"name": "bert", "num_hidden_layers": 3}


def exported(folder: Path, *formats: str, **options: Any) -> Path:
    """A folder with a model's exports; the model is in ``model`` beside it."""
    model = write_model(trained(**options), folder / "model")
    export_model(read_source(model), formats, out=folder / "export")
    return folder / "export"


@pytest.mark.parametrize("encoder", [VIT, "resnet", "dinov2"])
def test_an_export_is_the_model_that_it_was_written_from(encoder: Any, tmp_path: Path) -> None:
    out = exported(tmp_path, "huggingface", image_encoder=encoder)
    before = (tmp_path / "model" / "model.safetensors").read_bytes()
    for folder in (out, out / "huggingface"):
        with start_from(folder, towers_only=True) as start:
            assert (start.folder / "model.safetensors").read_bytes() == before
            assert start.configuration == json.loads((tmp_path / "model" / "config.json").read_text())["configuration"]
            assert (start.recorded_name, start.towers_only) == (folder.name, True)
    assert not start.folder.exists()


def test_an_export_of_a_model_with_adapters_is_one_without(tmp_path: Path) -> None:
    out = exported(tmp_path, "huggingface", image_encoder=VIT, text_encoder=BERT, adapters={"rank": 2})
    with start_from(out) as start:
        found = load_model(start.folder)
    assert found.configuration["adapters"] is None
    expected = image_embeddings(load_model(tmp_path / "model"), some_images())
    torch.testing.assert_close(image_embeddings(found, some_images()), expected, atol=1e-5, rtol=0)


def test_the_folder_of_a_run_is_taken_as_it_is(tmp_path: Path) -> None:
    model = write_model(trained(), tmp_path / "model")
    with start_from(model) as start:
        assert (start.folder, start.recorded_name) == (model, "model")


def refused(folder: Path, message: str) -> None:
    with pytest.raises(InputError, match=message), start_from(folder):
        pytest.fail("the folder was accepted")


def test_exports_of_one_tower_are_refused(tmp_path: Path) -> None:
    out = exported(tmp_path, "huggingface", "monai", image_encoder=MONAI)
    refused(out / "monai", "--from must hold both towers, got a MONAI bundle or an ONNX export: --from monai")
    refused(out / "huggingface", "--from must hold both towers, got \\['text_encoder'\\]")


def test_a_damaged_export_and_one_of_an_earlier_version_are_refused(tmp_path: Path) -> None:
    out = exported(tmp_path, "huggingface", image_encoder=VIT) / "huggingface"
    weights = out / "image_encoder" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-5])
    refused(out, "--from must be a whole export, got SafetensorError on reading")
    facts = json.loads((out / "alignment" / "config.json").read_text())
    del facts["configuration"]
    (out / "alignment" / "config.json").write_text(json.dumps(facts))
    refused(out, "got an export of an earlier version: .* Export the model again")


def test_an_export_that_leads_to_other_weights_is_refused(tmp_path: Path) -> None:
    out = exported(tmp_path, "huggingface", image_encoder=VIT) / "huggingface"
    adapters = out / "text_encoder" / "adapter_config.json"
    adapters.write_text(json.dumps({"base_model_name_or_path": str(tmp_path / "other"), "peft_type": "LORA"}))
    refused(out, "be a model without adapters, got adapter_config.json: .*text_encoder")
    adapters.unlink()
    weights = out / "image_encoder" / "model.safetensors"
    weights.rename(tmp_path / "other.safetensors")
    weights.symlink_to(tmp_path / "other.safetensors")
    refused(out, "have no symbolic link to another folder, got .*model.safetensors")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("log_logit_scale", None),
        ("log_logit_scale", [1.0, 2.0]),
        ("log_logit_scale", "large"),
        ("configuration", []),
        ("configuration", {"vocabulary": None}),
        ("vocabulary_sha256", 3),
    ],
)
def test_a_fact_of_another_kind_is_refused_in_one_line(name: str, value: Any, tmp_path: Path) -> None:
    file = exported(tmp_path, "huggingface", image_encoder=VIT) / "huggingface" / "alignment" / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {name: value}))
    refused(file.parent.parent, "--from must be a whole export, got .*Error on reading")
