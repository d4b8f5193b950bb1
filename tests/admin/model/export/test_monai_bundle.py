from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser, verify_metadata, verify_net_in_out
from PIL import Image
from safetensors.torch import load_file

from admin.model.export.monai_bundle import READING, preprocessing, write_bundle
from fedaid.data.pixels.image import read_radiograph
from fedaid.models.dual_encoder import DualEncoder
from tests.admin.model.export.clean_process import run_module
from tests.admin.model.export.trained_models import (
    DIM,
    IMAGE_ENCODERS,
    SIZE,
    image_embeddings,
    some_images,
    source_of,
    trained,
    write_film,
)

FILES = {"meta": "metadata", "config": "inference"}
OUTPUT_CHANNELS = "_meta_#network_data_format#outputs#pred#num_channels"
THREE_CHANNELS: dict[str, Any] = {
    **IMAGE_ENCODERS["vit"],
    "num_channels": 3,
    "pixel_mean": [0.4, 0.5, 0.6],
    "pixel_std": [0.2, 0.25, 0.3],
}


def bundle(model: DualEncoder, folder: Path) -> Path:
    out = folder / "monai"
    out.mkdir()
    write_bundle(source_of(model, folder / "model"), out)
    return out


def film_reader() -> Any:
    """The transforms of a bundle: a film's path → (1, S, S)."""
    content = {"imports": list(READING), "read": {"_target_": "Compose", "transforms": preprocessing(SIZE)}}
    return ConfigParser(content).get_parsed_content("read")


def as_read(film: Path) -> torch.Tensor:
    """A film as this project reads it, (1, 1, S, S) in [-1, 1]."""
    return torch.from_numpy(read_radiograph(film, SIZE))[None, None] * 2 - 1


@pytest.mark.parametrize("name", IMAGE_ENCODERS)
def test_the_configuration_embeds_as_the_model_does(name: str, tmp_path: Path) -> None:
    model = trained(name)
    out = bundle(model, tmp_path)
    parser = ConfigParser()
    parser.read_config(out / "configs" / "inference.json")
    parser["bundle_root"], parser["device"] = str(out), "cpu"
    parser.get_parsed_content("initialize")
    found = parser.get_parsed_content("embed")(some_images())
    torch.testing.assert_close(found, image_embeddings(model, some_images()), atol=1e-5, rtol=0)


def test_images_go_where_the_network_is(tmp_path: Path) -> None:
    out = bundle(trained(), tmp_path)
    parser = ConfigParser()
    parser.read_config(out / "configs" / "inference.json")
    parser["bundle_root"], parser["device"] = str(out), "meta"  # a device that every machine has, and no image is on
    parser.get_parsed_content("initialize")
    assert parser.get_parsed_content("embed")(some_images()).device.type == "meta"


@pytest.mark.slow
@pytest.mark.parametrize("name", IMAGE_ENCODERS)
def test_monai_runs_the_bundle_on_films_where_this_project_is_not(name: str, tmp_path: Path) -> None:
    model = trained(name)
    out = bundle(model, tmp_path)
    (out / "films").mkdir()
    films = [write_film(out / "films" / "a.png"), write_film(out / "films" / "b.png", shape=(50, 64), levels=4095)]
    ran = run_module("monai.bundle", "run", "--config_file", "configs/inference.json", folder=out)
    assert ran.returncode == 0, ran.stderr[-2000:]
    ours = torch.cat([image_embeddings(model, as_read(film)) for film in films]).numpy()
    np.testing.assert_allclose(np.load(out / "embeddings.npy", allow_pickle=False), ours, atol=1e-5)


@pytest.mark.parametrize("name", [*IMAGE_ENCODERS, THREE_CHANNELS], ids=str)
def test_monai_finds_the_network_s_input_and_output_as_the_metadata_say(name: Any, tmp_path: Path) -> None:
    out = bundle(trained(name), tmp_path)
    files = {f"{kind}_file": out / "configs" / f"{name}.json" for kind, name in FILES.items()}
    verify_net_in_out("network_def", **files, device="cpu")
    with pytest.raises(ValueError, match=f"output channel number `{DIM}` doesn't match: `{DIM + 1}`"):
        verify_net_in_out("network_def", **files, device="cpu", **{OUTPUT_CHANNELS: DIM + 1})


def test_a_copy_of_the_network_has_weights_of_its_own(tmp_path: Path) -> None:
    parser = ConfigParser()
    parser.read_config(bundle(trained("vit"), tmp_path) / "configs" / "inference.json")
    network = parser.get_parsed_content("network_def").eval()
    copied = copy.deepcopy(network)
    for parameter in network.parameters():
        parameter.data.zero_()
    assert copied(some_images()).abs().sum() > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [pytest.param("vit", id="1 channel"), pytest.param(THREE_CHANNELS, id="3 channels", marks=pytest.mark.long)],
)
def test_the_commands_of_the_page_verify_the_bundle_without_a_network(name: Any, tmp_path: Path) -> None:
    out = bundle(trained(name), tmp_path)
    page = (Path(__file__).parents[4] / "docs" / "export.md").read_text(encoding="utf-8")
    commands = re.findall(r"^python -m monai\.bundle (verify\S+ .*)", page, re.MULTILINE)
    assert [command.split()[0] for command in commands] == ["verify_net_in_out", "verify_metadata"]
    for command in commands:
        ran = run_module("monai.bundle", *command.split(), folder=out)
        assert ran.returncode == 0, ran.stderr[-2000:]
        assert "verified with no error" in ran.stdout + ran.stderr


@pytest.mark.parametrize("part", ["inputs", "outputs"])
def test_metadata_without_a_field_are_refused_with_the_schema_of_the_bundle(part: str, tmp_path: Path) -> None:
    configs = bundle(trained(), tmp_path) / "configs"
    metadata = json.loads((configs / "metadata.json").read_text())
    (tensor,) = metadata["network_data_format"][part].values()
    del tensor["value_range"]
    (configs / "metadata.json").write_text(json.dumps(metadata))
    with pytest.raises(ValueError, match="value_range"):
        verify_metadata(configs / "metadata.json", configs / "meta_schema.json")


@pytest.mark.parametrize(("shape", "levels"), [((90, 70), 255), ((50, 64), 4095), ((SIZE, SIZE), 200), ((20, 9), 255)])
def test_the_transforms_read_a_film_as_this_project_does(shape: tuple[int, int], levels: int, tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.png", shape=shape, levels=levels)
    torch.testing.assert_close(film_reader()(str(film))[None], as_read(film), atol=1e-5, rtol=0)


def test_films_are_found_by_any_usual_spelling_of_their_ending(tmp_path: Path) -> None:
    parser = ConfigParser()
    parser.read_config(bundle(trained(), tmp_path) / "configs" / "inference.json")
    parser["dataset_dir"] = str(tmp_path / "films")
    (tmp_path / "films").mkdir()
    names = ["a.PNG", "b.jpeg", "c.jpg", "d.png"]
    for name in [*names, "notes.txt", "e.dcm"]:
        (tmp_path / "films" / name).touch()
    assert [Path(film).name for film in parser.get_parsed_content("films")] == names


def test_a_dicom_file_is_refused_whatever_its_name(tmp_path: Path) -> None:
    film = tmp_path / "film.png"
    film.write_bytes(bytes(128) + b"DICM" + bytes(512))
    with pytest.raises(RuntimeError) as refused:
        film_reader()(str(film))
    assert "cannot identify image file" in str(refused.value.__cause__)


def test_a_film_of_three_equal_channels_is_read_as_the_grey_one(tmp_path: Path) -> None:
    film = write_film(tmp_path / "grey.png")
    Image.open(film).convert("RGB").save(tmp_path / "colour.png")
    torch.testing.assert_close(film_reader()(str(tmp_path / "colour.png")), film_reader()(str(film)))


def test_the_weights_are_the_network_s_and_in_safetensors(tmp_path: Path) -> None:
    out = bundle(trained("vit"), tmp_path)
    assert [path.name for path in (out / "models").iterdir()] == ["model.safetensors"]
    names = load_file(out / "models" / "model.safetensors")
    assert {name.split(".")[0] for name in names} == {"encoder", "projection"}
