from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

from fedaid.errors import InputError
from fedaid.models import saved_model
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.saved_model import CONFIG, WEIGHTS, load_model, merged_model, new_model, save_model


@pytest.fixture
def folder(model: DualEncoder, tmp_path: Path) -> Path:
    """The tiny model, saved."""
    with torch.no_grad():
        model.log_logit_scale.fill_(1.25)  # so that no fresh model has the same weights
    tensors = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    save_model(tmp_path, tensors, configuration=model.configuration, vocabulary_hash=model.vocabulary_hash)
    return tmp_path


def test_a_loaded_model_has_the_saved_weights(model: DualEncoder, folder: Path) -> None:
    loaded = load_model(folder).state_dict()
    assert loaded.keys() == model.state_dict().keys()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in model.state_dict().items())


def test_a_loaded_model_embeds_as_the_saved_one(model: DualEncoder, folder: Path) -> None:
    size = model.configuration["image_size"]
    ids = torch.tensor([[2, 9, 3, 0], [2, 8, 7, 3]])
    inputs = torch.rand(2, 1, size, size), ids, ids > 0
    with torch.no_grad():
        torch.testing.assert_close(load_model(folder)(*inputs), model.eval()(*inputs))


def test_a_loaded_model_is_in_evaluation_mode(folder: Path) -> None:
    assert not any(module.training for module in load_model(folder).modules())


def test_a_folder_holds_safetensors_and_plain_json_only(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == sorted([WEIGHTS, CONFIG])
    assert set(json.loads((folder / CONFIG).read_text())) == {"configuration", "vocabulary_sha256", "fedaid_version"}


def test_a_transposed_tensor_is_saved_as_it_reads(model: DualEncoder, tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    tensor = np.arange(6.0).reshape(2, 3).T
    save_model(tmp_path, {"w": tensor}, configuration={}, vocabulary_hash="")
    np.testing.assert_array_equal(load_file(tmp_path / WEIGHTS)["w"], tensor)


def test_another_vocabulary_is_refused(model: DualEncoder) -> None:
    with pytest.raises(InputError, match=r"^vocabulary must have sha256 0123456789ab…, got .*: site a"):
        new_model(model.configuration, "0123456789abcdef", where="site a")


def test_a_folder_made_with_another_vocabulary_is_refused(folder: Path) -> None:
    config: dict[str, Any] = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps(config | {"vocabulary_sha256": "0" * 64}))
    with pytest.raises(InputError, match="Use the vocabulary that the model was made with"):
        load_model(folder)


def test_tensors_that_do_not_fit_the_configuration_are_refused(model: DualEncoder, tmp_path: Path) -> None:
    tensors = {name: tensor.numpy() for name, tensor in model.state_dict().items() if "position" not in name}
    save_model(tmp_path, tensors, configuration=model.configuration, vocabulary_hash=model.vocabulary_hash)
    with pytest.raises(RuntimeError, match="Missing key"):
        load_model(tmp_path)


@pytest.fixture
def adapted() -> DualEncoder:
    """A model whose adapters have learned something."""
    text = {"name": "bert", "num_hidden_layers": 3}
    model = DualEncoder(image_encoder="vit", text_encoder=text, image_size=32, adapters={"rank": 4})
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if ".lora_B." in name:
                weight.normal_(0, 0.1, generator=torch.Generator().manual_seed(len(name)))
    return model.eval()


def a_batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    ids = torch.randint(5, 500, (3, 12), generator=draw)
    return torch.rand(3, 1, 32, 32, generator=draw) * 2 - 1, ids, torch.ones_like(ids, dtype=torch.bool)


def test_a_saved_model_with_adapters_embeds_as_before(adapted: DualEncoder, tmp_path: Path) -> None:
    tensors = {name: tensor.numpy() for name, tensor in adapted.state_dict().items()}
    save_model(tmp_path, tensors, configuration=adapted.configuration, vocabulary_hash=adapted.vocabulary_hash)
    with torch.no_grad():
        torch.testing.assert_close(load_model(tmp_path)(*a_batch()), adapted(*a_batch()), atol=0, rtol=0)


def test_a_merged_model_embeds_as_the_one_with_adapters(adapted: DualEncoder) -> None:
    with torch.no_grad():
        with_adapters, merged = adapted(*a_batch()), merged_model(adapted)(*a_batch())
        without = DualEncoder(**adapted.configuration | {"adapters": None}).eval()(*a_batch())
    torch.testing.assert_close(merged, with_adapters, atol=1e-5, rtol=0)
    assert (without.image - with_adapters.image).abs().max() > 1e-2  # else the adapters would have added nothing


def test_a_merged_model_is_one_that_never_had_adapters(adapted: DualEncoder) -> None:
    merged = merged_model(adapted)
    assert merged.configuration == adapted.configuration | {"adapters": None}
    assert not any("lora" in name or "base_layer" in name for name in merged.state_dict())
    assert all(weight.requires_grad for weight in merged.parameters())


def test_merging_leaves_the_given_model_as_it_is(adapted: DualEncoder) -> None:
    before = {name: tensor.clone() for name, tensor in adapted.state_dict().items()}
    merged_model(adapted)
    assert all(torch.equal(before[name], tensor) for name, tensor in adapted.state_dict().items())


def test_merging_a_model_without_adapters_gives_the_same_weights(model: DualEncoder) -> None:
    merged = merged_model(model).state_dict()
    assert all(torch.equal(merged[name], tensor) for name, tensor in model.state_dict().items())


def test_a_site_whose_library_does_not_know_a_type_is_named_with_its_version(
    model: DualEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transformers, "__version__", "4.9.0")
    configuration = model.configuration | {"text_encoder": {"name": "modernbert"}}
    monkeypatch.setattr(saved_model, "CONFIG_MAPPING", {"vit": transformers.ViTConfig})
    with pytest.raises(InputError) as caught:
        new_model(configuration, model.vocabulary_hash, where="site north")
    assert str(caught.value) == (
        "text_encoder must be known to transformers 4.9.0, got 'modernbert': site north. "
        "Install the transformers of requirements.txt, as on the machine that made the model."
    )


def test_a_site_whose_library_lacks_an_option_is_named_with_its_version(model: DualEncoder) -> None:
    configuration = model.configuration | {"text_encoder": {"name": "bert", "pooling": "max", "of_next_year": 3}}
    with pytest.raises(
        InputError, match=r"^text_encoder must be known to .*, got bert without of_next_year: site north"
    ):
        new_model(configuration, model.vocabulary_hash, where="site north")
