from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from admin.model.export.onnx_file import FILE, OPSET, ImageTower, check, plain_attention, write_onnx
from fedaid.models.dual_encoder import DualEncoder
from tests.admin.model.export.trained_models import (
    DIM,
    IMAGE_ENCODERS,
    SIZE,
    image_embeddings,
    some_images,
    source_of,
    trained,
)


def exported(model: DualEncoder, folder: Path) -> Path:
    out = folder / "onnx"
    out.mkdir()
    write_onnx(source_of(model, folder / "model"), out)
    return out / FILE


def embedded(file: Path, images: torch.Tensor) -> np.ndarray:  # type: ignore[type-arg]
    found: np.ndarray = onnxruntime.InferenceSession(file).run(["embeddings"], {"images": images.numpy()})[0]  # type: ignore[type-arg]
    return found


@pytest.fixture(scope="module")
def resnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(trained("resnet"), tmp_path_factory.mktemp("resnet"))


@pytest.mark.slow
@pytest.mark.parametrize("name", [*IMAGE_ENCODERS, "swin"])
def test_onnxruntime_embeds_batches_of_any_size_as_torch_does(name: str, tmp_path: Path) -> None:
    size = 64 if name == "swin" else SIZE
    model = trained(name, image_size=size)
    file = exported(model, tmp_path)
    for number in (1, 2, 5):
        images = torch.rand(number, 1, size, size) * 2 - 1
        np.testing.assert_allclose(embedded(file, images), image_embeddings(model, images).numpy(), atol=1e-4)


@pytest.mark.slow
def test_the_pooling_of_a_pretrained_encoder_is_part_of_the_graph(tmp_path: Path) -> None:
    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
    chosen = {"name": "siglip_vision_model", "pooling": "attention", "patch_size": 8, "num_channels": 3}
    model = trained(chosen | sizes)
    file = exported(model, tmp_path)
    np.testing.assert_allclose(embedded(file, some_images()), image_embeddings(model, some_images()).numpy(), atol=1e-4)


def test_the_file_is_valid_and_of_the_stated_opset(resnet: Path) -> None:
    onnx.checker.check_model(resnet, full_check=True)
    assert [(entry.domain, entry.version) for entry in onnx.load(resnet).opset_import] == [("", OPSET)]


def test_embeddings_have_unit_norm(resnet: Path) -> None:
    found = embedded(resnet, some_images())
    assert found.shape == (3, DIM)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_a_film_of_colour_is_refused(resnet: Path) -> None:
    with pytest.raises(Exception, match="Got: 3 Expected: 1"):
        embedded(resnet, torch.zeros(1, 3, SIZE, SIZE))


def test_grey_values_up_to_255_give_no_embedding_and_spare_the_other_images(resnet: Path) -> None:
    images = some_images()
    images[1] = (images[1] + 1) * 127.5
    found = embedded(resnet, images)
    assert np.isnan(found[1]).all()
    assert np.isfinite(found[[0, 2]]).all()


def test_the_file_carries_the_input_contract(resnet: Path) -> None:
    facts = {entry.key: entry.value for entry in onnx.load(resnet).metadata_props}
    assert json.loads(facts["input"])["shape"] == ["batch", 1, SIZE, SIZE]
    assert facts["license"] == "unknown"
    assert len(facts["source_sha256"]) == 64


def test_writing_attention_out_leaves_the_model_as_it_is() -> None:
    model = trained("vit")
    before = model.image["encoder"].backbone.config._attn_implementation
    copied = plain_attention(model.image)
    assert model.image["encoder"].backbone.config._attn_implementation == before == "sdpa"
    assert copied["encoder"].backbone.config._attn_implementation == "eager"


def test_a_file_of_another_model_does_not_pass_the_check(resnet: Path) -> None:
    with pytest.raises(RuntimeError, match="differ from torch's by"):
        check(ImageTower(trained("resnet", seed=1).image).eval(), resnet, size=SIZE)
