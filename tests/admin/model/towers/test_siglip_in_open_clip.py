"""SigLIP in open_clip's layout: its towers, its pooling and its cleaned texts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer

from admin.model.towers.imported_towers import import_towers
from fedaid.errors import InputError
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.own_tokenizer import own_tokenizer
from tests.admin.model.towers.imported import SIZES, same_words
from tests.admin.model.towers.open_clip_downloads import biomed_clip
from tests.admin.model.towers.siglip_download import siglip_of_open_clip
from tests.admin.model.towers.test_refused_downloads import settings

CLEAN = "the heart is enlarged no pleural effusion"


def test_the_image_tower_pools_by_its_attention(tmp_path: Path, models: Path) -> None:
    original = siglip_of_open_clip(tmp_path / "hub")
    (facts,) = import_towers(tmp_path / "hub", models / "a", kind="image").values()
    assert (facts["model_type"], facts["pooling"]) == ("siglip_vision_model", "attention")
    model, images = DualEncoder(**SIZES, image_encoder="local:a").eval(), torch.rand(2, 1, 32, 32) * 2 - 1
    mean, std = (torch.tensor(facts[name])[:, None, None] for name in ("pixel_mean", "pixel_std"))
    alignment = model.image["alignment"]
    with torch.no_grad():
        pooled = alignment.pooling(alignment.block(model.image_features(images)))
        expected = original.pool(((images + 1) / 2 - mean) / std)
        torch.testing.assert_close(pooled, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("tanh", [False, True])
def test_the_text_tower_has_its_features_and_cleans_its_texts(tanh: bool, tmp_path: Path, models: Path) -> None:
    original = siglip_of_open_clip(tmp_path / "hub", tanh=tanh)
    (facts,) = import_towers(tmp_path / "hub", models / "a", kind="text").values()
    assert (facts["model_type"], facts["pooling"], facts["casing"]) == ("siglip_text_model", "last", "lower-cases")
    same_words(original.text, "a", tmp_path / "hub", cleaned=CLEAN)
    plain = AutoTokenizer.from_pretrained(tmp_path / "hub", local_files_only=True)
    assert own_tokenizer(models / "a").encode("_The_ HEART's\n2.5-cm ").ids == plain("the hearts 25cm").input_ids


def test_a_siglip_whose_activation_is_not_known_is_refused(tmp_path: Path) -> None:
    siglip_of_open_clip(tmp_path / "hub", timm_model_name="vit_base_patch32_siglip_256")
    with pytest.raises(InputError, match="have a SigLIP of timm whose activation is known"):
        import_towers(tmp_path / "hub", tmp_path / "out")


@pytest.mark.parametrize("change", [{"pool_type": "argmax"}, {"norm_kwargs": {}}, {"act_kwargs": {"approximate": "x"}}])
def test_other_texts_without_causal_mask_are_refused(change: dict[str, object], tmp_path: Path) -> None:
    siglip_of_open_clip(tmp_path / "hub")
    file = "open_clip_config.json"
    model = json.loads((tmp_path / "hub" / file).read_text())["model_cfg"]
    settings(file, model_cfg=model | {"text_cfg": model["text_cfg"] | change})(tmp_path / "hub")
    with pytest.raises(InputError, match="be a SigLIP's: its last token pooled"):
        import_towers(tmp_path / "hub", tmp_path / "out", kind="text")


def test_texts_must_be_cleaned_as_siglips_are(tmp_path: Path) -> None:
    siglip_of_open_clip(tmp_path / "hub")
    model = json.loads((tmp_path / "hub" / "open_clip_config.json").read_text())["model_cfg"]
    del model["text_cfg"]["tokenizer_kwargs"]
    settings("open_clip_config.json", model_cfg=model)(tmp_path / "hub")
    with pytest.raises(InputError, match=r"state tokenizer_kwargs \{'clean': 'canonicalize'\}"):
        import_towers(tmp_path / "hub", tmp_path / "out", kind="text")


def test_a_padding_token_must_be_stated(tmp_path: Path) -> None:
    siglip_of_open_clip(tmp_path / "hub")
    settings("tokenizer_config.json", pad_token=None)(tmp_path / "hub")
    with pytest.raises(InputError, match="have a padding token"):
        import_towers(tmp_path / "hub", tmp_path / "out", kind="text")


@pytest.mark.parametrize("kwargs", [{"clean": "canonicalize"}, {"strip_sep_token": True}])
def test_a_bert_whose_texts_or_ids_open_clip_changes_is_refused(kwargs: dict[str, object], tmp_path: Path) -> None:
    biomed_clip(tmp_path / "hub")
    file = "open_clip_config.json"
    model = json.loads((tmp_path / "hub" / file).read_text())["model_cfg"]
    settings(file, model_cfg=model | {"text_cfg": model["text_cfg"] | {"tokenizer_kwargs": kwargs}})(tmp_path / "hub")
    with pytest.raises(InputError, match="give its texts to the tokenizer as they are, got tokenizer_kwargs"):
        import_towers(tmp_path / "hub", tmp_path / "out", kind="text")
