"""What a researcher does: save_pretrained, import, package, two rounds, export, and use without this project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional
from transformers import AutoModel, AutoTokenizer

from admin.__main__ import main
from admin.federation.simulate import simulate
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.saved_model import load_model
from fedaid.models.vocabulary import find_vocabulary, load_tokenizer
from tests.integration.conftest import small_job
from tests.models.published_encoders import HALF, PUBLISHED

SITES = ["lindental-university", "st-brigid-general"]
ENCODERS = {"google/vit-base-patch16-224-in21k": "vit", "FacebookAI/roberta-base": "roberta"}
REPORTS = ["No acute findings.", "The HEART is enlarged; large left pleural effusion."]
TOWERS = {"image_encoder": "local:vit", "text_encoder": "local:roberta", "vocabulary": "local:roberta"}


@pytest.mark.slow
def test_pretrained_towers_are_trained_and_used_again_by_their_own_libraries(
    consortium: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEDAID_MODELS", str(tmp_path / "models"))
    for one in PUBLISHED:
        if name := ENCODERS.get(one.name):
            one.write(tmp_path / "hub" / name)
            assert (
                main(["tower", "import", str(tmp_path / "hub" / name), "--out", str(tmp_path / "models" / name)]) == 0
            )
    job = small_job(tmp_path / "jobs", sites=2, **TOWERS)
    run = simulate(job, workspace=tmp_path / "run", sites=SITES, data=consortium, timeout=540)
    (folder,) = (run / "fedaid").glob("best-*")
    model, start = (
        load_model(folder),
        DualEncoder(**json.loads((folder / "config.json").read_text())["configuration"] | TOWERS),
    )
    assert model.configuration["image_encoder"]["pooling"] == "class"
    trained = "alignment.block.layer.mlp.fc1.weight"
    assert not torch.equal(model.image.state_dict()[trained], start.image.state_dict()[trained])
    for form in ("huggingface", "onnx"):
        assert main(["export", str(folder), "--to", form, "--out", str(tmp_path / "export")]) == 0
    agree(model, tmp_path / "export")


@torch.no_grad()
def agree(model: DualEncoder, export: Path) -> None:
    """AutoModel and onnxruntime give the embeddings of ``load_model``."""
    images = torch.rand(3, 1, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    ours = model.image["alignment"](model.image_features(images))
    session = onnxruntime.InferenceSession(export / "onnx" / "image_tower.onnx")
    np.testing.assert_allclose(session.run(None, {"images": images.numpy()})[0], ours.numpy(), atol=1e-5)
    stock = export / "huggingface"
    mean, std = (torch.tensor(values)[:, None, None] for values in HALF)
    encoder = AutoModel.from_pretrained(stock / "image_encoder")
    hidden = encoder(pixel_values=((images + 1) / 2 - mean) / std).last_hidden_state
    torch.testing.assert_close(
        projected(hidden[:, 0], stock / "alignment" / "image.safetensors"), ours, atol=1e-5, rtol=0
    )
    tokenizer = AutoTokenizer.from_pretrained(stock / "text_encoder")
    own = load_tokenizer(find_vocabulary("local:roberta"), max_tokens=model.configuration["max_tokens"])
    assert tokenizer(REPORTS)["input_ids"] == [own.encode(report).ids for report in REPORTS]
    given = tokenizer(REPORTS, padding=True, return_tensors="pt")
    mask: Any = given["attention_mask"]
    hidden = AutoModel.from_pretrained(stock / "text_encoder")(**given).last_hidden_state
    pooled = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    ours = model.text["alignment"](model.text_features(given["input_ids"], mask.bool()), mask.bool())
    torch.testing.assert_close(projected(pooled, stock / "alignment" / "text.safetensors"), ours, atol=1e-5, rtol=0)


def projected(pooled: torch.Tensor, file: Path) -> torch.Tensor:
    """The exported projection head of pooled features (B, F) → unit-norm embeddings (B, D)."""
    head = {name.removeprefix("projection."): tensor for name, tensor in load_file(file).items()}
    inside = functional.gelu(functional.linear(pooled, head["0.weight"], head["0.bias"]))
    return functional.normalize(functional.linear(inside, head["2.weight"], head["2.bias"]), dim=-1)
