"""torchxrayvision's DenseNet becomes MONAI's, with its features and its scale of grey values."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from admin.model.towers.imported_towers import import_towers
from fedaid.errors import InputError
from fedaid.models.dual_encoder import DualEncoder
from tests.admin.model.towers.dense_net_download import dense_net, download
from tests.admin.model.towers.imported import SIZES, image_features
from tests.admin.model.towers.test_refused_downloads import settings, tensors


@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin", "densenet121-all.pt"])
def test_a_dense_net_of_torchxrayvision_has_its_features(file: str, tmp_path: Path, models: Path) -> None:
    features = download(tmp_path / "hub", file=file)
    (facts,) = import_towers(tmp_path / "hub", models / "xrv").values()
    assert (facts["model_type"], facts["channels"], facts["cosine"]) == ("monai_densenet121", 1, 1.0)
    assert (facts["pixel_mean"], facts["pixel_std"]) == ([0.5], [round(1 / 2048, 6)])
    assert (facts["left"], facts["notes"][0][:28]) == (["classifier", "op_threshs"], "no preprocessor_config.json:")
    images = torch.rand(2, 1, 32, 32) * 2 - 1
    with torch.no_grad():
        expected = features(images * 1024).flatten(2).mT
        torch.testing.assert_close(image_features("xrv", images), expected, atol=1e-5, rtol=1e-5)


def test_another_machine_builds_it_without_the_folder(tmp_path: Path, models: Path) -> None:
    download(tmp_path / "hub")
    import_towers(tmp_path / "hub", models / "xrv")
    model = DualEncoder(**SIZES, image_encoder="local:xrv").eval()
    configuration = json.loads(json.dumps(model.configuration))
    (models / "xrv" / "model.safetensors").unlink()
    again = DualEncoder(**configuration).eval()
    again.load_state_dict(model.state_dict(), strict=True)
    images = torch.rand(2, 1, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(again.image_features(images), model.image_features(images))


def test_its_own_processor_is_used(tmp_path: Path, models: Path) -> None:
    download(tmp_path / "hub")
    scale = {"image_mean": [0.4], "image_std": [0.2]}
    (tmp_path / "hub" / "preprocessor_config.json").write_text(json.dumps(scale))
    (facts,) = import_towers(tmp_path / "hub", models / "xrv").values()
    assert (facts["pixel_mean"], facts["pixel_std"], facts["notes"]) == ([0.4], [0.2], [])


def test_torchxrayvisions_scale_is_not_taken_for_colour(tmp_path: Path) -> None:
    download(tmp_path / "colour", channels=3)
    with pytest.raises(InputError, match=r"have a preprocessor_config\.json, or one channel and torchxrayvision's"):
        import_towers(tmp_path / "colour", tmp_path / "out")


def test_the_scale_of_another_dense_net_is_not_guessed(tmp_path: Path, models: Path) -> None:
    download(tmp_path / "hub", marked=False)
    with pytest.raises(
        InputError, match=r"or one channel and torchxrayvision's op_threshs, got classifier, features: .*image_std"
    ):
        import_towers(tmp_path / "hub", models / "net")
    scale = {"image_mean": [0.4], "image_std": [0.2]}
    (tmp_path / "hub" / "preprocessor_config.json").write_text(json.dumps(scale))
    (facts,) = import_towers(tmp_path / "hub", models / "net").values()
    assert (facts["pixel_std"], facts["notes"]) == ([0.2], [])


def test_a_dense_net_without_its_first_layer_is_refused(tmp_path: Path) -> None:
    download(tmp_path / "hub", file="pytorch_model.bin")
    state = torch.load(tmp_path / "hub" / "pytorch_model.bin", weights_only=True)
    del state["features.denseblock1.denselayer1.conv2.weight"]
    torch.save(state, tmp_path / "hub" / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"have all its weights, got no .*denselayer1\.conv2"):
        import_towers(tmp_path / "hub", tmp_path / "out")


def test_a_pickled_model_object_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hub").mkdir()
    torch.save(dense_net(), tmp_path / "hub" / "densenet121-all.pt")
    with pytest.raises(InputError, match="its state_dict only"):
        import_towers(tmp_path / "hub", tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "damaged"),
    [
        ("conv0.weight", None),
        ("conv0.weight", torch.ones(8)),
        ("denseblock1.denselayer1.conv1.weight", torch.tensor(1.0)),
        ("denseblock1.denselayer1.conv2.weight", torch.ones(0, 16, 3, 3)),
    ],
)
def test_a_damaged_dense_net_is_refused(name: str, damaged: torch.Tensor | None, tmp_path: Path) -> None:
    download(tmp_path / "hub")
    name = f"features.{name}"
    tensors(lambda state: state.pop(name) if damaged is None else state.update({name: damaged}))(tmp_path / "hub")
    with pytest.raises(InputError, match=rf"have all its weights, got no \['{name}'\] .* Download it again\."):
        import_towers(tmp_path / "hub", tmp_path / "out")


def test_another_dense_net_of_timm_is_refused(tmp_path: Path) -> None:
    download(tmp_path / "hub")
    settings("config.json", architecture="densenetblur121d.ra_in1k")(tmp_path / "hub")
    with pytest.raises(InputError, match="be a plain ResNet or DenseNet121, got architecture densenetblur121d"):
        import_towers(tmp_path / "hub", tmp_path / "out")
    settings("config.json", architecture="densenet121.tv_in1k")(tmp_path / "hub")
    (facts,) = import_towers(tmp_path / "hub", tmp_path / "out").values()
    assert facts["model_type"] == "monai_densenet121"


def test_a_tensor_outside_the_dense_net_replaces_none_of_it(tmp_path: Path, models: Path) -> None:
    network = download(tmp_path / "hub", file="pytorch_model.bin")
    state = torch.load(tmp_path / "hub" / "pytorch_model.bin", weights_only=True)
    inside = {name if name == "op_threshs" else f"model.{name}": tensor for name, tensor in state.items()}
    foreign = torch.ones_like(state["features.conv0.weight"])
    torch.save(inside | {"features.conv0.weight": foreign}, tmp_path / "hub" / "pytorch_model.bin")
    (facts,) = import_towers(tmp_path / "hub", models / "xrv").values()
    assert facts["left"] == ["classifier", "features", "op_threshs"]
    images = torch.rand(2, 1, 32, 32) * 2 - 1
    with torch.no_grad():
        expected = network(images * 1024).flatten(2).mT
        torch.testing.assert_close(image_features("xrv", images), expected, atol=1e-5, rtol=1e-5)
