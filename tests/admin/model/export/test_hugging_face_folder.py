from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch.nn import functional
from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

from admin.model.export.hugging_face_folder import write_hugging_face
from fedaid.models.configuration import IMAGE_ENCODERS
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.image_tower import MONAI
from fedaid.models.vocabulary import load_tokenizer
from fedaid.version import VERSION
from tests.admin.model.export.trained_models import (
    SIZE,
    image_embeddings,
    some_images,
    source_of,
    text_embeddings,
    trained,
    write_film,
)
from tests.models.published_encoders import PUBLISHED

STOCK = [name for name in IMAGE_ENCODERS if name not in MONAI]
REPORTS = ["No acute findings.", "Large LEFT pleural effusion; cardiomegaly, " + "edema and opacity " * 20]


def layout(model: DualEncoder, folder: Path) -> Path:
    out = folder / "huggingface"
    out.mkdir()
    write_hugging_face(source_of(model, folder / "model"), out)
    return out


@pytest.mark.parametrize("name", STOCK)
def test_both_encoders_load_by_stock_classes_with_nothing_missing(name: str, tmp_path: Path) -> None:
    out = layout(trained(name, image_size=64), tmp_path)
    for encoder in ("image_encoder", "text_encoder"):
        _, report = AutoModel.from_pretrained(out / encoder, output_loading_info=True)
        assert not report["missing_keys"]
        assert not report["unexpected_keys"]


@pytest.mark.parametrize("name", STOCK)
def test_the_card_s_code_gives_the_model_s_embeddings(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = trained(name, image_size=64)
    found = run_card(layout(model, tmp_path), monkeypatch)
    compare(model, found, found["images"][:, :1])


def test_the_card_s_code_scales_grey_values_and_writes_tokens_as_pretrained_encoders_need_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEDAID_MODELS", str(tmp_path))
    for one in PUBLISHED:
        if one.name in ("microsoft/rad-dino", "FacebookAI/roberta-base"):
            one.write(tmp_path / one.tower)
    model = trained("local:image", text_encoder="local:text", vocabulary="local:text", max_tokens=60)
    found = run_card(layout(model, tmp_path), monkeypatch)
    compare(model, found, (found["images"][:, :1] * 0.2583 + 0.5307) * 2 - 1)


@pytest.mark.parametrize(
    ("image", "text", "max_tokens"),
    [
        ("openai/clip-vit-base-patch32, its ", "openai/clip-vit-base-patch32, its ", 40),
        ("google/siglip-base-patch16-224, its ",) * 2 + (60,),
    ],
    ids=["clip", "siglip"],
)
def test_the_card_s_code_pools_as_the_encoders_were_trained(
    image: str, text: str, max_tokens: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEDAID_MODELS", str(tmp_path))
    scale = write_pair(tmp_path, image=f"{image}image tower", text=f"{text}text tower")
    model = trained("local:image", text_encoder="local:text", vocabulary="local:text", max_tokens=max_tokens)
    out = layout(model, tmp_path)
    found = run_card(out, monkeypatch)
    images = (found["images"][:, :1] * scale[1][0] + scale[0][0]) * 2 - 1
    torch.testing.assert_close(found["image_embeddings"], image_embeddings(model, images), atol=1e-5, rtol=0)
    tokenizer = load_tokenizer(tmp_path / "text", max_tokens=max_tokens)
    ours = [torch.tensor([tokenizer.encode(report).ids]) for report in found["reports"]]
    rows = [text_embeddings(model, ids, torch.ones_like(ids, dtype=torch.bool)) for ids in ours]
    torch.testing.assert_close(found["text_embeddings"], torch.cat(rows), atol=1e-5, rtol=0)
    kinds = json.loads((out / "alignment" / "config.json").read_text())["pooling"]
    assert kinds == {"image": "class" if "clip-" in image else "attention", "text": "last"}


def write_pair(folder: Path, **names: str) -> tuple[list[float], list[float]]:
    """Writes an image and a text encoder by their names, and returns the scale of grey values."""
    chosen = {one.name: one for one in PUBLISHED}
    for tower, name in names.items():
        chosen[name].write(folder / tower)
    scale = chosen[names["image"]].scale
    assert scale
    return scale


def run_card(out: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Runs the code of the card in ``out``; returns its names."""
    [code] = re.findall(r"```python\n(.*?)```", (out / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (out / "card.py").write_text(code, encoding="utf-8")
    write_film(out / "film.png")
    monkeypatch.chdir(out)
    with torch.enable_grad():  # the code turns gradients off for good
        return runpy.run_path(str(out / "card.py"))


def compare(model: DualEncoder, found: dict[str, Any], images: torch.Tensor) -> None:
    """The embeddings of the card's code are those of the model, for images in [-1, 1]."""
    torch.testing.assert_close(found["image_embeddings"], image_embeddings(model, images), atol=1e-5, rtol=0)
    texts = found["texts"]
    ours = text_embeddings(model, texts["input_ids"], texts["attention_mask"].bool())
    torch.testing.assert_close(found["text_embeddings"], ours, atol=1e-5, rtol=0)


def test_the_stock_vit_gives_the_features_behind_the_model_s_embedding(tmp_path: Path) -> None:
    model = trained("vit")
    encoder = AutoModel.from_pretrained(layout(model, tmp_path) / "image_encoder")
    with torch.no_grad():
        ours = model.image["alignment"].block(model.image_features(some_images()))
        torch.testing.assert_close(encoder(some_images()).last_hidden_state, ours, atol=1e-5, rtol=0)


def test_the_stock_resnet_gives_the_model_s_image_features(tmp_path: Path) -> None:
    model = trained("resnet")
    encoder = AutoModel.from_pretrained(layout(model, tmp_path) / "image_encoder")
    with torch.no_grad():
        found = encoder(some_images()).last_hidden_state.flatten(2).mT
        torch.testing.assert_close(found, model.image_features(some_images()), atol=1e-5, rtol=0)


def test_reports_embed_as_by_the_model(tmp_path: Path) -> None:
    model = trained()
    out = layout(model, tmp_path)
    tokenizer, encoder = (kind.from_pretrained(out / "text_encoder") for kind in (AutoTokenizer, AutoModel))
    given = tokenizer(REPORTS, padding=True, truncation=True, return_tensors="pt")
    first, last = load_file(out / "alignment" / "text.safetensors"), given["attention_mask"][..., None]
    with torch.no_grad():
        pooled = (encoder(**given).last_hidden_state * last).sum(1) / last.sum(1)
        hidden = functional.gelu(functional.linear(pooled, first["projection.0.weight"], first["projection.0.bias"]))
        found = functional.linear(hidden, first["projection.2.weight"], first["projection.2.bias"])
    ours = text_embeddings(model, given["input_ids"], given["attention_mask"].bool())
    torch.testing.assert_close(functional.normalize(found, dim=-1), ours, atol=1e-5, rtol=0)


def test_the_tokenizer_gives_the_ids_that_the_model_was_trained_with(tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(layout(trained(), tmp_path) / "text_encoder")
    ours = load_tokenizer(max_tokens=16)
    for report in REPORTS:
        assert tokenizer(report, truncation=True)["input_ids"] == ours.encode(report).ids
    assert len(tokenizer(REPORTS[1], truncation=True)["input_ids"]) == 16


def test_the_processor_brings_a_grey_film_to_the_model_s_range(tmp_path: Path) -> None:
    processor = AutoImageProcessor.from_pretrained(layout(trained(), tmp_path) / "image_encoder")
    film = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE), dtype=np.uint8)
    found = processor(Image.fromarray(film), return_tensors="pt").pixel_values
    assert found.shape == (1, 1, SIZE, SIZE)
    np.testing.assert_allclose(found[0, 0], film / 127.5 - 1, atol=1e-5)


def test_a_film_of_colour_is_refused_by_the_stock_classes(tmp_path: Path) -> None:
    folder = layout(trained(), tmp_path) / "image_encoder"
    film = Image.new("RGB", (SIZE, SIZE), (200, 30, 30))
    with pytest.raises(ValueError, match="got 1"):
        AutoImageProcessor.from_pretrained(folder)(film, return_tensors="pt")
    with pytest.raises(ValueError, match="channel"):
        AutoModel.from_pretrained(folder)(torch.zeros(1, 3, SIZE, SIZE))


def test_an_image_encoder_of_monai_is_left_out_and_the_card_says_so(tmp_path: Path) -> None:
    out = layout(trained("monai_densenet121"), tmp_path)
    assert sorted(path.name for path in out.iterdir()) == ["README.md", "alignment", "text_encoder"]
    card = " ".join((out / "README.md").read_text().split())
    assert "for which `transformers` has no class: the image tower is in the MONAI bundle" in card


def test_weights_are_safetensors_and_the_rest_is_text(tmp_path: Path) -> None:
    files = [path for path in layout(trained(), tmp_path).rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".safetensors", ".json", ".md"}
    assert len(files) >= 9


def test_the_alignment_carries_scale_and_input_contract(tmp_path: Path) -> None:
    model = trained()
    facts = json.loads((layout(model, tmp_path) / "alignment" / "config.json").read_text())
    assert facts["logit_scale"] == pytest.approx(float(model.logit_scale.detach()))
    assert facts["input"]["range"] == [-1.0, 1.0]
    assert facts["fedaid_version"] == VERSION
