"""Folders in the layout of transformers become folders that a job loads, with the features of the original."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModel, CLIPVisionModelWithProjection, ViTConfig, ViTForMaskedImageModeling

from admin.__main__ import main
from admin.model.towers.imported_towers import import_towers
from fedaid.models.configuration import TEXT_ENCODERS, choose
from tests.admin.model.towers import downloads
from tests.admin.model.towers.imported import names_in, same_pixels, same_words
from tests.models.published_encoders import CLIP, HALF, IMAGENET

SIZES: dict[str, Any] = {"embedding_dim": 4, "projection_hidden": 4, "max_tokens": 40, "image_size": 32}
REPORT = "The HEART is enlarged. No pleural effusion."


@pytest.mark.parametrize("shards", [1, 3])
def test_a_pickled_bert_becomes_safetensors(shards: int, tmp_path: Path, models: Path) -> None:
    original = downloads.bert(tmp_path / "hub")
    downloads.pickled(tmp_path / "hub", shards=shards)
    facts = import_towers(tmp_path / "hub", models / "bert")[models / "bert"]
    same_words(original.bert, "bert", tmp_path / "hub")
    assert (facts["model_type"], facts["casing"], facts["max_tokens"]) == ("bert", "lower-cases", 512)
    assert (facts["left"], facts["cosine"]) == (["cls"], 1.0)
    assert len(facts["weights"]) == shards
    assert not [name for name in names_in(models / "bert") if name.startswith("cls")]
    assert not list((models / "bert").glob("*.bin"))


def test_safetensors_are_preferred_to_pickled_weights(tmp_path: Path, models: Path) -> None:
    original = downloads.bert(tmp_path / "hub")
    torch.save({"bert.embeddings.word_embeddings.weight": torch.zeros(1)}, tmp_path / "hub" / "pytorch_model.bin")
    facts = import_towers(tmp_path / "hub", models / "bert")[models / "bert"]
    assert facts["weights"] == ["model.safetensors"]
    same_words(original.bert, "bert", tmp_path / "hub")


def test_weights_in_the_names_of_the_first_bert_and_in_half_precision_load(tmp_path: Path, models: Path) -> None:
    original = downloads.bert(tmp_path / "hub")
    downloads.pickled(tmp_path / "hub")
    file = tmp_path / "hub" / "pytorch_model.bin"
    old = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    state = torch.load(file, weights_only=True)
    for new, before in old.items():
        state = {name.replace(new, before): tensor.half() for name, tensor in state.items()}
    torch.save({"state_dict": {f"module.{name}": tensor for name, tensor in state.items()}, "epoch": 3}, file)
    import_towers(tmp_path / "hub", models / "bert")
    same_words(original.half().float().bert, "bert", tmp_path / "hub")


@pytest.mark.parametrize(("write", "scale"), [(downloads.clip, CLIP), (downloads.siglip, HALF)])
def test_both_towers_of_a_pair_are_written(write: Any, scale: Any, tmp_path: Path, models: Path) -> None:
    original = write(tmp_path / "hub")
    facts = import_towers(tmp_path / "hub", models / "pair")
    assert list(facts) == [models / "pair" / "image", models / "pair" / "text"]
    assert all(one["cosine"] == 1.0 and "logit_scale" in one["left"] for one in facts.values())
    same_pixels(original.vision_model, "pair/image", scale)
    same_words(original.text_model, "pair/text", tmp_path / "hub")
    assert {path.name for path in (models / "pair").iterdir()} == {"image", "text"}


def test_the_pooling_of_sentence_transformers_goes_along(tmp_path: Path, models: Path) -> None:
    downloads.bert(tmp_path / "hub")
    (tmp_path / "hub" / "1_Pooling").mkdir()
    (tmp_path / "hub" / "1_Pooling" / "config.json").write_text('{"pooling_mode_max_tokens": true}')
    import_towers(tmp_path / "hub", models / "bert")
    assert choose("local:bert", TEXT_ENCODERS, setting="text_encoder").pooling == "max"


def test_one_tower_of_a_pair_lies_in_the_folder_itself(tmp_path: Path, models: Path) -> None:
    original = downloads.clip(tmp_path / "hub")
    (tmp_path / "hub" / "tokenizer.json").unlink()
    facts = import_towers(tmp_path / "hub", models / "clip", kind="image")[models / "clip"]
    same_pixels(original.vision_model, "clip", CLIP)
    assert facts["left"] == ["logit_scale", "text_projection", "visual_projection", "text tower"]
    assert (facts["image_size"], facts["channels"], facts["alignment_module"]) == (
        32,
        3,
        "the last layer and a new projection head",
    )
    again = AutoModel.from_pretrained(models / "clip", local_files_only=True)
    assert type(again).__name__ == "CLIPVisionModel"


def test_a_clip_tower_with_its_projection_loses_the_projection_only(tmp_path: Path, models: Path) -> None:
    whole = downloads.clip(tmp_path / "whole")
    downloads.processor(tmp_path / "hub", CLIP)
    original = downloads.saved(CLIPVisionModelWithProjection(whole.config.vision_config), tmp_path / "hub")
    facts = import_towers(tmp_path / "hub", models / "clip")[models / "clip"]
    assert facts["left"] == ["visual_projection"]
    same_pixels(original.vision_model, "clip", CLIP)


def test_a_masked_autoencoder_loses_its_decoder_and_sees_every_patch(tmp_path: Path, models: Path) -> None:
    original = downloads.masked_autoencoder(tmp_path / "hub")
    facts = import_towers(tmp_path / "hub", models / "mae")[models / "mae"]
    assert (facts["model_type"], facts["left"], facts["cosine"]) == ("vit", ["decoder"], 1.0)
    original.vit.config.mask_ratio = 0.0
    order = torch.arange(16).expand(2, -1).float()
    same_pixels(lambda pixel_values: original.vit(pixel_values=pixel_values, noise=order), "mae", IMAGENET)


def test_a_part_that_the_checkpoint_lacks_is_not_drawn_at_random(tmp_path: Path, models: Path) -> None:
    original = downloads.classifier(tmp_path / "hub")
    facts = import_towers(tmp_path / "hub", models / "vit")[models / "vit"]
    assert facts["left"] == ["classifier"]
    assert not [name for name in names_in(models / "vit") if name.startswith("pooler")]
    same_pixels(original.vit, "vit", HALF)


def test_a_mask_token_is_left_out_by_its_name(tmp_path: Path, models: Path) -> None:
    downloads.processor(tmp_path / "hub", HALF)
    config = ViTConfig(**downloads.PICTURES, encoder_stride=8)
    original = downloads.saved(ViTForMaskedImageModeling(config), tmp_path / "hub")
    facts = import_towers(tmp_path / "hub", models / "vit")[models / "vit"]
    assert facts["left"] == ["decoder", "mask_token"]
    same_pixels(original.vit, "vit", HALF)


def test_the_licence_goes_along_and_a_processor_of_both_kinds_is_read(tmp_path: Path, models: Path) -> None:
    downloads.clip(tmp_path / "hub")
    (tmp_path / "hub" / "LICENSE.md").write_text("as it was")
    (tmp_path / "hub" / "README.md").write_text("---\ntags: [x]\nlicense: mit\n---\nlicense: none of this\n")
    single = tmp_path / "hub" / "preprocessor_config.json"
    (tmp_path / "hub" / "processor_config.json").write_text(
        json.dumps({"image_processor": json.loads(single.read_text())})
    )
    single.unlink()
    (facts,) = import_towers(tmp_path / "hub", models / "clip", kind="image").values()
    assert (facts["licence"], facts["licence_files"]) == ("mit", ["LICENSE.md"])
    assert (models / "clip" / "LICENSE.md").read_text() == "as it was"
    assert json.loads((models / "clip" / "tower.json").read_text()) == facts


def test_the_verb_prints_what_the_tower_is(tmp_path: Path, models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    downloads.clip(tmp_path / "hub")
    words = ["tower", "import", str(tmp_path / "hub"), "--out"]
    assert main([*words, str(models / "a"), "--format", "json"]) == 0
    towers = json.loads(capsys.readouterr().out)["data"]["towers"]
    assert [(one["tower"], one["folder"]) for one in towers] == [
        ("image", str(models / "a" / "image")),
        ("text", str(models / "a" / "text")),
    ]
    assert main([*words, str(models / "b")]) == 0
    lines = [line.split(":")[0].strip() for line in capsys.readouterr().out.splitlines() if line]
    for word in (
        "model type",
        "parameters",
        "image size",
        "channels",
        "mean",
        "tokenizer",
        "casing",
        "licence",
        "cosine",
    ):
        assert word in lines
