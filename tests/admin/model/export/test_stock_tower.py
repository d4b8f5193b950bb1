from __future__ import annotations

from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigParser
from torch.nn import functional

from admin.model.export.stock_pooling import full_length, pooled_text
from admin.model.export.stock_tower import IMPORTS, StockTower, renamed, renamings, stock_image_tower, stock_text_tower
from fedaid.models.configuration import IMAGE_ENCODERS, TEXT_ENCODERS
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.image_tower import MONAI
from tests.admin.model.export.trained_models import image_embeddings, some_images, text_embeddings, trained
from tests.models.published_encoders import PUBLISHED, Published


def embedded(tower: StockTower, images: torch.Tensor) -> torch.Tensor:
    """What MONAI's configuration makes of images, with the tower's weights."""
    bundle = ConfigParser({"imports": list(IMPORTS), "device": "cpu"} | dict(tower.definition))
    network: torch.nn.Module = bundle.get_parsed_content("network_def").eval()
    encoder = {f"encoder.{name}": tensor for name, tensor in tower.encoder.state_dict().items()}
    network.load_state_dict(encoder | tower.head.state_dict(), strict=True)
    with torch.no_grad():
        found: torch.Tensor = bundle.get_parsed_content("embed")(images)
    return found


@pytest.mark.parametrize("name", IMAGE_ENCODERS)
def test_stock_modules_embed_an_image_as_the_model_does(name: str) -> None:
    model = trained(name, image_size=64 if name == "swin" else 32)
    images = torch.rand(3, 1, *[model.configuration["image_size"]] * 2) * 2 - 1
    found = embedded(stock_image_tower(model), images)
    torch.testing.assert_close(found, image_embeddings(model, images), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", MONAI)
def test_stock_modules_of_monai_take_the_scale_of_grey_values(name: str) -> None:
    scale = {"pixel_mean": [0.3], "pixel_std": [0.02], "pretrained": True}
    model = trained({"name": name, **IMAGE_ENCODERS[name]} | scale)
    found = embedded(stock_image_tower(model), some_images())
    torch.testing.assert_close(found, image_embeddings(model, some_images()), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", TEXT_ENCODERS)
def test_stock_modules_embed_a_padded_text_as_the_model_does(name: str) -> None:
    model = trained(text_encoder=name)
    embeds_a_padded_text(stock_text_tower(model), model)


def embeds_a_padded_text(tower: StockTower, model: DualEncoder) -> None:
    ids = torch.tensor([[2, 9, 3, 0, 0], [2, 8, 7, 12, 3]])
    given: dict[str, torch.Tensor] = {"input_ids": ids, "attention_mask": (ids > 0).long()}
    if full := full_length(model):
        padded = functional.pad(
            ids.masked_fill(ids == 0, full["padding"]), (0, full["length"] - 5), value=full["padding"]
        )
        given = {"input_ids": padded}
    with torch.no_grad():
        names = {"hidden": tower.encoder(**given).last_hidden_state, "mask": (ids > 0).long()[..., None]}
        pooled = eval(pooled_text(model), names | {"reports": ids, "torch": torch})  # noqa: S307 (code of the card)
        found = functional.normalize(tower.head["projection"](pooled), dim=-1)
    torch.testing.assert_close(found, text_embeddings(model, ids, ids > 0), atol=1e-5, rtol=0)


@pytest.mark.parametrize("one", [one for one in PUBLISHED if one.tower == "image" and not one.refused])
def test_a_pretrained_encoder_takes_the_grey_image_in_its_channels_and_scale(
    one: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEDAID_MODELS", str(tmp_path))
    one.write(tmp_path / "fake")
    model = trained("local:fake")
    found = embedded(stock_image_tower(model), some_images())
    torch.testing.assert_close(found, image_embeddings(model, some_images()), atol=1e-5, rtol=0)


@pytest.mark.parametrize("one", [one for one in PUBLISHED if one.tower == "text" and not one.refused])
def test_a_pretrained_text_encoder_embeds_as_the_model_does(
    one: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEDAID_MODELS", str(tmp_path))
    one.write(tmp_path / "fake")
    model = trained(text_encoder="local:fake", vocabulary="local:fake")
    embeds_a_padded_text(stock_text_tower(model), model)


def test_the_definition_names_no_class_of_this_project() -> None:
    for name in IMAGE_ENCODERS:
        assert "fedaid" not in str(stock_image_tower(trained(name, image_size=64)).definition)
    assert set(MONAI) < set(IMAGE_ENCODERS)


def test_that_an_encoder_was_frozen_in_training_is_no_option_of_its_class() -> None:
    model = trained("monai_resnet")
    model.configuration["image_encoder"] = model.configuration["image_encoder"] | {"frozen": True}
    found = embedded(stock_image_tower(model), some_images())
    torch.testing.assert_close(found, image_embeddings(model, some_images()), atol=1e-5, rtol=0)


def test_the_given_model_stays_as_it_is() -> None:
    model = trained("vit")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    stock_image_tower(model)
    stock_text_tower(model)
    assert before.keys() == model.state_dict().keys()
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_the_last_block_goes_back_into_the_encoder() -> None:
    names = renamings(("layers.3.", "layernorm."))
    assert renamed("alignment.block.layer.mlp.weight", names) == "encoder.layers.3.mlp.weight"
    assert renamed("alignment.block.norm.bias", names) == "encoder.layernorm.bias"


def test_a_tensor_without_a_place_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"no place for alignment\.surprise"):
        renamed("alignment.surprise", renamings(None))
