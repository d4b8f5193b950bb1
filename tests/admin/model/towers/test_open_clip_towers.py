"""Folders in open_clip's layout become folders that a job loads, with the features of the original modules."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from admin.model.towers.imported_towers import import_towers
from fedaid.errors import InputError
from fedaid.models.configuration import TEXT_ENCODERS, choose
from tests.admin.model.towers import downloads, open_clip_downloads
from tests.admin.model.towers.imported import same_pixels, same_words
from tests.models.published_encoders import CLIP

WEIGHTS = "open_clip_model.safetensors"


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("quick", [False, True])
def test_open_clips_own_transformers_become_clip_towers(quick: bool, apart: bool, tmp_path: Path, models: Path) -> None:
    original = open_clip_downloads.own_pair(tmp_path / "hub", quick=quick, apart=apart)
    facts = import_towers(tmp_path / "hub", models / "clip")
    assert [one["model_type"] for one in facts.values()] == ["clip_vision_model", "clip_text_model"]
    assert {one["cosine"] for one in facts.values()} == {1.0}
    same_pixels(original.vision, "clip/image", CLIP)
    same_words(original.text, "clip/text", tmp_path / "hub")


@pytest.mark.parametrize("file", ["open_clip_pytorch_model.bin", WEIGHTS])
def test_biomed_clip_becomes_a_vit_and_a_bert(file: str, tmp_path: Path, models: Path) -> None:
    original = open_clip_downloads.biomed_clip(tmp_path / "hub", file=file)
    image, text = import_towers(tmp_path / "hub", models / "biomed").values()
    assert (image["model_type"], text["model_type"], image["cosine"], text["cosine"]) == ("vit", "bert", 1.0, 1.0)
    assert image["left"] == text["left"] == ["logit_scale", "text.proj", "visual.head"]
    assert all(
        one["compared_with"].endswith("(with the same assumed number of heads and epsilon)") for one in (image, text)
    )
    assert image["notes"] == ["2 heads of 64, as in timm's vit_base_patch16_224"]
    assert (image["pixel_mean"], text["casing"]) == ([round(value, 6) for value in CLIP[0]], "lower-cases")
    same_pixels(original.vision, "biomed/image", CLIP)
    same_words(original.text, "biomed/text", tmp_path / "hub")
    assert choose("local:biomed/text", TEXT_ENCODERS, setting="text_encoder").pooling == "class"
    processor = json.loads((models / "biomed" / "image" / "preprocessor_config.json").read_text())
    assert (processor["resample"], processor["size"]) == (3, {"height": 32, "width": 32})


def test_a_folder_with_both_layouts_is_read_as_that_of_transformers(tmp_path: Path, models: Path) -> None:
    open_clip_downloads.own_pair(tmp_path / "hub", quick=False)
    original = downloads.clip(tmp_path / "hub")
    facts = import_towers(tmp_path / "hub", models / "clip")
    assert {tuple(one["weights"]) for one in facts.values()} == {("model.safetensors",)}
    same_pixels(original.vision_model, "clip/image", CLIP)


def configured(part: str | None, **changes: Any) -> Callable[[Path], None]:
    """A function that changes a part of ``model_cfg``, or ``model_cfg`` itself."""

    def change(folder: Path) -> None:
        file = folder / "open_clip_config.json"
        given = json.loads(file.read_text())
        given["model_cfg"].update(changes) if part is None else given["model_cfg"][part].update(changes)
        file.write_text(json.dumps(given))

    return change


def weighed(change: Callable[[dict[str, Tensor]], Any]) -> Callable[[Path], None]:
    """A function that changes the weights."""

    def changed(folder: Path) -> None:
        state = load_file(folder / WEIGHTS)
        change(state)
        save_file(state, folder / WEIGHTS)

    return changed


def prepared(**scale: Any) -> Callable[[Path], None]:
    """A function that replaces ``preprocess_cfg``."""

    def change(folder: Path) -> None:
        file = folder / "open_clip_config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"preprocess_cfg": scale}))

    return change


SCALE = "visual.trunk.blocks.0.ls1.gamma"
BROKEN: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no tokenizer": (lambda folder: (folder / "tokenizer.json").unlink(), "have the text tower's tokenizer"),
    "no scale": (prepared(), "have a preprocessor_config"),
    "another ViT": (configured("vision_cfg", timm_model_name="vit_base_patch16_clip_224"), "plain ViT of timm"),
    "another option": (configured("vision_cfg", ls_init_value=1.0), "have known options in vision_cfg"),
    "an image that is not square": (
        configured("vision_cfg", image_size=[32, 64]),
        "a whole number above 0 as image_size",
    ),
    "a scale of another kind": (prepared(mean=0.5, std=0.5), "have an object as preprocess_cfg, with lists"),
    "no vision_cfg": (configured(None, vision_cfg=3), r"vision_cfg and text_cfg in its model_cfg, got \{'embed_dim'"),
    "another text model": (configured("text_cfg", hf_model_name="google/mt5-base"), "a BERT or RoBERTa"),
    "another size": (configured("vision_cfg", image_size=64), "positions for its image size"),
    "layer scale": (
        weighed(lambda state: state.update({SCALE: torch.ones(128)})),
        "no other weights in its image tower",
    ),
    "a lost bias": (weighed(lambda state: state.pop("visual.trunk.norm.bias")), "have all weights of its image tower"),
    "no layers": (lambda folder: save_file({"a": torch.ones(1)}, folder / WEIGHTS), "have a class token"),
    "not finite": (weighed(lambda state: state["visual.trunk.norm.bias"].fill_(torch.inf)), "have finite weights"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_not_certain_is_refused(case: str, tmp_path: Path) -> None:
    change, message = BROKEN[case]
    open_clip_downloads.biomed_clip(tmp_path / "hub", file=WEIGHTS)
    change(tmp_path / "hub")
    with pytest.raises(InputError, match=message):
        import_towers(tmp_path / "hub", tmp_path / "out")
    assert list(tmp_path.iterdir()) == [tmp_path / "hub"]


def test_a_roberta_keeps_its_own_positions(tmp_path: Path) -> None:
    open_clip_downloads.biomed_clip(tmp_path / "hub", file=WEIGHTS)
    configured("text_cfg", hf_model_name="FacebookAI/roberta-base")(tmp_path / "hub")
    (facts,) = import_towers(tmp_path / "hub", tmp_path / "out", kind="text").values()
    assert (facts["model_type"], facts["max_tokens"]) == ("roberta", 510)


@pytest.mark.parametrize(("kind", "other"), [("image", "text"), ("text", "image")])
def test_the_other_tower_is_among_the_parts_left_out(kind: str, other: str, tmp_path: Path) -> None:
    open_clip_downloads.biomed_clip(tmp_path / "hub", file=WEIGHTS)
    (facts,) = import_towers(tmp_path / "hub", tmp_path / "out", kind=kind).values()
    assert facts["left"] == ["logit_scale", "text.proj", "visual.head", f"{other} tower"]


def test_a_pooler_with_a_dense_layer_is_left_out_with_a_note(tmp_path: Path) -> None:
    open_clip_downloads.biomed_clip(tmp_path / "hub", file=WEIGHTS)
    (plain,) = import_towers(tmp_path / "hub", tmp_path / "plain", kind="text").values()
    configured("text_cfg", hf_pooler_type="cls_pooler")(tmp_path / "hub")
    (facts,) = import_towers(tmp_path / "hub", tmp_path / "out", kind="text").values()
    assert set(facts["left"]) - set(plain["left"]) == {"text.transformer.pooler"}
    assert (facts["pooling"], len(plain["notes"]), len(facts["notes"])) == ("class", 1, 2)
    assert "a dense layer and a tanh, which this tower leaves out" in facts["notes"][1]


TYPES = "text.transformer.embeddings.token_type_embeddings.weight"


@pytest.mark.parametrize("name", ["microsoft/codebert-base", "vinai/bertweet-base", "vinai/phobert-base"])
def test_a_roberta_whose_name_does_not_say_it_is_refused(name: str, tmp_path: Path) -> None:
    open_clip_downloads.biomed_clip(tmp_path / "hub", file=WEIGHTS)
    configured("text_cfg", hf_model_name=name)(tmp_path / "hub")
    weighed(lambda state: state.update({TYPES: state[TYPES][:1].clone()}))(tmp_path / "hub")
    rule = f"hf_model_name must name a RoBERTa, .*got {name} with one type of token.*--tower image"
    with pytest.raises(InputError, match=rule):
        import_towers(tmp_path / "hub", tmp_path / "out", kind="text")
    configured("text_cfg", hf_model_name=f"{name}-roberta")(tmp_path / "hub")
    (facts,) = import_towers(tmp_path / "hub", tmp_path / "out", kind="text").values()
    assert facts["model_type"] == "roberta"


@pytest.mark.parametrize(("kind", "start"), [("image", "visual.transformer."), ("text", "transformer.")])
def test_a_checkpoint_without_layers_is_refused(kind: str, start: str, tmp_path: Path) -> None:
    open_clip_downloads.own_pair(tmp_path / "hub", quick=False)
    weighed(lambda state: [state.pop(name) for name in list(state) if name.startswith(start)])(tmp_path / "hub")
    with pytest.raises(InputError, match=f"have all weights of its {kind} tower, got no .* Download it again"):
        import_towers(tmp_path / "hub", tmp_path / "out", kind=kind)


SHAPES = {
    "visual.class_embedding": torch.tensor(1.0),
    "visual.conv1.weight": torch.ones(16),
    "transformer.resblocks.0.mlp.c_fc.bias": torch.tensor(1.0),
    "transformer.resblocks.0.attn.in_proj_bias": torch.ones(1),
    "token_embedding.weight": torch.ones(8),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_tensor_of_another_shape_is_refused(name: str, tmp_path: Path) -> None:
    open_clip_downloads.own_pair(tmp_path / "hub", quick=False)
    weighed(lambda state: state.update({name: SHAPES[name]}))(tmp_path / "hub")
    with pytest.raises(
        InputError, match=r"have weights of the shapes that its towers need, got .* Download it again\."
    ):
        import_towers(tmp_path / "hub", tmp_path / "out")
