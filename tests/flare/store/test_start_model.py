from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fedaid.errors import InputError
from fedaid.flare.store.start_model import FOLDER, Specs, StartModel, start_tensors, taken
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.saved_model import save_model
from fedaid.models.tensor_names import is_alignment
from fedaid.sealed_folder import description, seal

WHOLE = StartModel("best-00002", "", towers_only=False)


def tensors_of(model: DualEncoder) -> dict[str, NDArray[Any]]:
    return {name: tensor.numpy() for name, tensor in model.state_dict().items()}


def specs_of(model: DualEncoder) -> Specs:
    return {name: (tensor.shape, str(tensor.dtype)) for name, tensor in tensors_of(model).items()}


def test_every_tensor_is_taken_and_with_towers_only_those_of_the_encoders(model: DualEncoder) -> None:
    given, specs = tensors_of(model), specs_of(model)
    assert taken(given, specs, WHOLE).keys() == specs.keys()
    towers = taken(given, specs, WHOLE._replace(towers_only=True))
    assert towers.keys() == {name for name in specs if not is_alignment(name)}
    assert "image.encoder.network.1.running_var" in towers


def test_a_model_with_adapters_takes_the_weights_of_one_without(
    model: DualEncoder, model_options: dict[str, Any]
) -> None:
    towers = {"image_encoder": model_options["text_encoder"] | {"name": "vit", "patch_size": 8}}
    plain = DualEncoder(**model_options | towers)
    adapted = DualEncoder(**model_options | towers | {"adapters": {"rank": 2}})
    found = taken(tensors_of(plain), specs_of(adapted), WHOLE)
    assert specs_of(adapted).keys() - found.keys() == {name for name in specs_of(adapted) if ".lora_" in name}
    name = next(name for name in found if ".base_layer.weight" in name)
    assert np.array_equal(found[name], tensors_of(plain)[name.replace(".base_layer.", ".")])
    assert taken(tensors_of(adapted), specs_of(adapted), WHOLE).keys() == specs_of(adapted).keys()
    with pytest.raises(InputError, match=r"have the tensor image.encoder.* got a file without it"):
        taken(tensors_of(adapted), specs_of(plain), WHOLE)


def test_what_does_not_fit_is_named(model: DualEncoder) -> None:
    given, specs, name = tensors_of(model), specs_of(model), "image.encoder.network.1.weight"
    for broken, message in (
        ({k: t for k, t in given.items() if k != name}, f"have the tensor {name}, got a file without it: best-00002"),
        (given | {name: given[name][:3]}, f"have {name} of shape .*, got \\(3,\\)"),
        (given | {name: given[name].astype(np.float64)}, f"have {name} of type float32, got float64"),
        (given | {name: given[name] * np.float32("nan")}, f"have a finite {name}"),
        (given | {"more": given[name]}, "have the job's tensors only"),
    ):
        with pytest.raises(InputError, match=f"^start model must {message}"):
            taken(broken, specs, WHOLE)


def test_the_file_must_be_that_of_the_configuration_and_whole(model: DualEncoder, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="start model must be in the folder start_model of the job, got no file"):
        start_tensors(tmp_path, specs_of(model), WHOLE)
    folder = tmp_path / FOLDER
    folder.mkdir()
    save_model(folder, tensors_of(model), configuration={}, vocabulary_hash="")
    seal(folder)
    right = WHOLE._replace(sha256=description(folder / "model.safetensors")["sha256"])
    assert start_tensors(tmp_path, specs_of(model), right).keys() == specs_of(model).keys()
    with pytest.raises(InputError, match=r"start model must have sha256 0000"):
        start_tensors(tmp_path, specs_of(model), WHOLE._replace(sha256="0" * 64))
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[:-7])
    with pytest.raises(InputError, match=r"model.safetensors differs from MANIFEST.json"):
        start_tensors(tmp_path, specs_of(model), right)
    seal(folder)
    short = right._replace(sha256=description(folder / "model.safetensors")["sha256"])
    with pytest.raises(InputError, match="start model must be a whole file, got SafetensorError"):
        start_tensors(tmp_path, specs_of(model), short)
