"""Features become one vector as the encoder was trained, and padding never counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from fedaid.errors import InputError
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.pooling import KINDS, OF_TEXTS, SENTENCE_FILE, Pooling, folder_pooling

FEATURES = torch.tensor([[[1.0], [5.0], [3.0], [90.0]], [[2.0], [4.0], [-1.0], [6.0]]])
MASK = torch.tensor([[True, True, True, False], [True] * 4])
TINY: dict[str, Any] = {"embedding_dim": 4, "projection_hidden": 4, "max_tokens": 16, "image_size": 32}


@pytest.mark.parametrize(("kind", "rows"), [("mean", (3, 2.75)), ("class", (1, 2)), ("last", (3, 6)), ("max", (5, 6))])
def test_a_text_is_pooled_over_its_real_tokens(kind: str, rows: tuple[float, float]) -> None:
    assert Pooling(kind)(FEATURES, MASK).flatten().tolist() == list(rows)
    torch.testing.assert_close(Pooling(kind)(FEATURES[:1, :3], None), Pooling(kind)(FEATURES, MASK)[:1])


def test_patches_are_the_tokens_after_the_class_token() -> None:
    assert Pooling("patches")(FEATURES).flatten().tolist() == [pytest.approx(98 / 3), 3.0]


def test_every_kind_has_a_finite_gradient_with_padding() -> None:
    assert set(OF_TEXTS) < set(KINDS)
    for kind in OF_TEXTS:
        features = FEATURES.clone().requires_grad_()
        Pooling(kind)(features, MASK).sum().backward()
        assert features.grad is not None
        assert features.grad.isfinite().all()
        assert features.grad[0, 3].item() == 0


@pytest.mark.parametrize(
    ("stated", "kind"),
    [
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "class"),
        ({"pooling_mode_mean_tokens": True}, "mean"),
        ({"pooling_mode_max_tokens": True}, "max"),
        ({"pooling_mode_lasttoken": True}, "last"),
        ({"pooling_mode": "cls"}, "class"),
        ({"pooling_mode": "lasttoken"}, "last"),
    ],
)
def test_sentence_transformers_state_the_pooling(stated: dict[str, Any], kind: str, tmp_path: Path) -> None:
    write_sentences(tmp_path, stated)
    assert folder_pooling(tmp_path, "bert", {}) == kind


@pytest.mark.parametrize(
    "stated",
    [
        {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True},
        {"pooling_mode_mean_sqrt_len_tokens": True},
        {"pooling_mode": "weightedmean"},
        {},
        [],
    ],
)
def test_a_pooling_that_this_software_does_not_have_is_refused(stated: Any, tmp_path: Path) -> None:
    write_sentences(tmp_path, stated)
    with pytest.raises(InputError, match=r"^pooling must be .*1_Pooling/config.json\. State it beside the encoder"):
        folder_pooling(tmp_path, "bert", {})


def write_sentences(folder: Path, stated: Any) -> None:
    file = folder / SENTENCE_FILE
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(stated))


def test_the_job_s_word_counts_more_than_the_folder_s(saved: Callable[..., Any], models_folder: Path) -> None:
    saved("bert")
    write_sentences(models_folder / "bert", {"pooling_mode_cls_token": True})
    for encoder, kind in (("local:bert", "class"), ({"name": "local:bert", "pooling": "max"}, "max")):
        model = DualEncoder(**TINY | {"text_encoder": encoder})
        assert model.text["alignment"].pooling.kind == model.configuration["text_encoder"]["pooling"] == kind


@pytest.mark.parametrize(
    ("setting", "encoder"),
    [
        ("text_encoder", {"name": "bert", "pooling": "attention"}),
        ("text_encoder", {"name": "bert", "pooling": 3}),
        ("image_encoder", {"name": "resnet", "pooling": "class"}),
        ("image_encoder", {"name": "vit", "pooling": "last"}),
        ("image_encoder", {"name": "monai_vit", "pooling": "class"}),
    ],
)
def test_a_pooling_that_an_encoder_cannot_have_is_refused(setting: str, encoder: Any) -> None:
    with pytest.raises(InputError, match=f"^pooling must be one of mean.* for {encoder['name']}, got"):
        DualEncoder(**TINY | {setting: encoder})


def test_an_encoder_without_a_folder_takes_the_mean_as_ever() -> None:
    model = DualEncoder(**TINY | {"image_encoder": "vit", "text_encoder": "bert"})
    assert (model.image["alignment"].pooling.kind, model.text["alignment"].pooling.kind) == ("mean", "mean")
    assert not [name for name in model.state_dict() if "pooling" in name]
    assert not {"pooling"} & {*model.configuration["image_encoder"], *model.configuration["text_encoder"]}


def test_a_configuration_of_an_earlier_version_keeps_its_tensors_and_its_mean(models_folder: Path) -> None:
    from tests.models.published_encoders import PUBLISHED

    pairs = [one for one in PUBLISHED if one.model_type in ("clip_vision_model", "siglip_vision_model", "beit")]
    assert len(pairs) == 4
    for number, one in enumerate(pairs):
        one.write(models_folder / str(number))
        described = DualEncoder(**TINY | {"image_encoder": f"local:{number}"}).configuration["image_encoder"]
        described.pop("pooling")
        model = DualEncoder(**TINY | {"image_encoder": described})
        assert model.image["alignment"].pooling.kind == "mean"
        assert not [name for name in model.state_dict() if "pooling" in name]
        assert ("image.encoder.backbone.post_layernorm.weight" in model.state_dict()) == ("clip" in one.name)
