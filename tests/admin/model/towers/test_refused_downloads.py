"""A folder of which something is not certain is refused in one line, and nothing is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from admin.model.towers import tower_proof
from admin.model.towers.imported_towers import import_towers
from fedaid.errors import InputError
from tests.admin.model.towers import downloads
from tests.models.published_encoders import words

Change = Callable[[Path], Any]


def settings(name: str, **changes: Any) -> Change:
    """A function that changes entries of a JSON file; None removes one."""

    def change(folder: Path) -> None:
        file = folder / name
        given = (json.loads(file.read_text()) if file.exists() else {}) | changes
        file.write_text(json.dumps({key: value for key, value in given.items() if value is not None}))

    return change


def tensors(change: Callable[[dict[str, Tensor]], Any]) -> Change:
    """A function that changes the weights."""

    def changed(folder: Path) -> None:
        state = load_file(folder / "model.safetensors")
        change(state)
        save_file(state, folder / "model.safetensors")

    return changed


def unlink(*names: str) -> Change:
    """A function that removes files."""
    return lambda folder: [(folder / name).unlink() for name in names]


def truncate(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-64])


def leave_by_link(folder: Path) -> None:
    config = (folder / "config.json").rename(folder.parent / "config.json")
    (folder / "config.json").symlink_to(config)


def pickle_the_model(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save(nn.Linear(2, 2), folder / "pytorch_model.bin")


def pickle_a_number(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save({"weight": torch.ones(2), "epoch": 3}, folder / "pytorch_model.bin")


def pickle_by_numbers(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save({0: torch.ones(2)}, folder / "pytorch_model.bin")


def lose_a_shard(folder: Path) -> None:
    downloads.pickled(folder, shards=2)
    (folder / "pytorch_model-00002-of-00002.bin").unlink()


def lead_out_by_index(folder: Path) -> None:
    downloads.pickled(folder, shards=2)
    settings("pytorch_model.bin.index.json", weight_map={"a": "../pytorch_model.bin"})(folder)


def not_a_number(state: dict[str, Tensor]) -> None:
    state["bert.encoder.layer.0.output.dense.weight"][0, 0] = torch.nan


WORD = "bert.embeddings.word_embeddings.weight"
SURPLUS = "bert.embeddings.visual_projection.weight"
OUTPUT = "bert.encoder.layer.1.output.dense.bias"
REFUSED: dict[str, tuple[Change, str]] = {
    "code": (settings("config.json", auto_map={"AutoModel": "modeling.Model"}), "auto_map in config.json"),
    "code of the tokenizer": (
        settings("tokenizer_config.json", auto_map={"AutoTokenizer": ["t.T", None]}),
        "auto_map in",
    ),
    "a link": (leave_by_link, "symbolic link to another folder"),
    "adapters": (settings("adapter_config.json", peft_type="LORA"), "Merge them"),
    "an unknown type": (settings("config.json", model_type="cxr-bert"), "one of the types"),
    "no type": (settings("config.json", model_type=None), "Write it to config.json"),
    "a damaged configuration": (lambda folder: (folder / "config.json").write_text("{"), "a damaged config.json"),
    "no weights": (unlink("model.safetensors"), "Download the weights, too"),
    "no tokenizer": (unlink("tokenizer.json"), "have the text tower's tokenizer"),
    "another tokenizer": (lambda folder: words(cased=False)(folder), "tokens of the text encoder, but for 1%"),
    "truncated weights": (truncate, "a damaged model.safetensors"),
    "weights that are not finite": (tensors(not_a_number), "NaN or infinity in bert.encoder.layer.0"),
    "missing weights": (tensors(lambda state: state.pop(OUTPUT)), "have all its weights"),
    "more layers": (settings("config.json", num_hidden_layers=1), "no more in its encoder than config.json says"),
    "more in its embeddings": (tensors(lambda state: state.update({SURPLUS: torch.ones(2)})), "no more in its encoder"),
    "a size that is a text": (settings("config.json", hidden_size="wide"), "weights that fit config.json, got Strict"),
    "a size of 0": (settings("config.json", num_attention_heads=0), "weights that fit config.json"),
    "a type that is a list": (settings("config.json", model_type=["bert"]), "have a known model_type"),
    "weights of another shape": (settings("config.json", intermediate_size=12), "weights that fit config.json"),
    "a pickled model": (pickle_the_model, "weights_only=True. refuses"),
    "a pickled number": (pickle_a_number, "hold tensors by their name"),
    "a missing shard": (lose_a_shard, "have all files of its index"),
    "an index that leads out": (lead_out_by_index, r"list files beside the index, got weight_map \{'a': '../pyt"),
    "tensors by numbers": (pickle_by_numbers, "hold tensors by their name"),
    "relative positions": (settings("config.json", position_embedding_type="relative_key"), "have absolute positions"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_right_is_refused(case: str, tmp_path: Path) -> None:
    change, message = REFUSED[case]
    options = {"vocab_size": 300} if case == "another tokenizer" else {}
    downloads.bert(tmp_path / "hub", **options)
    change(tmp_path / "hub")
    with pytest.raises(InputError, match=message):
        import_towers(tmp_path / "hub", tmp_path / "models" / "bert")
    assert list((tmp_path / "models").glob("*")) == []


def test_an_image_tower_needs_the_scale_of_its_grey_values(tmp_path: Path) -> None:
    downloads.classifier(tmp_path / "hub")
    (tmp_path / "hub" / "preprocessor_config.json").unlink()
    with pytest.raises(InputError, match="have a preprocessor_config"):
        import_towers(tmp_path / "hub", tmp_path / "out")
    settings("preprocessor_config.json", image_mean=[0.5])(tmp_path / "hub")
    with pytest.raises(InputError, match="state its scale"):
        import_towers(tmp_path / "hub", tmp_path / "out")


def test_an_image_processor_that_is_a_list_is_refused(tmp_path: Path) -> None:
    downloads.classifier(tmp_path / "hub")
    (tmp_path / "hub" / "preprocessor_config.json").unlink()
    settings("processor_config.json", image_processor=[{"image_mean": [0.5]}])(tmp_path / "hub")
    with pytest.raises(InputError, match=r"processor_config.json must have an object as image_processor, got list"):
        import_towers(tmp_path / "hub", tmp_path / "out")


def test_a_pair_without_tokenizer_names_what_works(tmp_path: Path) -> None:
    downloads.siglip(tmp_path / "hub")
    (tmp_path / "hub" / "tokenizer.json").unlink()
    with pytest.raises(InputError, match="--tower image"):
        import_towers(tmp_path / "hub", tmp_path / "out")
    assert list(tmp_path.iterdir()) == [tmp_path / "hub"]


def test_a_tower_that_the_folder_does_not_have_is_refused(tmp_path: Path) -> None:
    downloads.bert(tmp_path / "hub")
    with pytest.raises(InputError, match="have a tower for images, got text"):
        import_towers(tmp_path / "hub", tmp_path / "out", kind="image")


def test_a_target_that_exists_is_left_alone(tmp_path: Path) -> None:
    downloads.bert(tmp_path / "hub")
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="--out must not exist yet"):
        import_towers(tmp_path / "hub", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_other_features_than_those_of_the_original_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    downloads.bert(tmp_path / "hub")
    monkeypatch.setattr(tower_proof, "text_tower", with_other_weights(tower_proof.text_tower))
    with pytest.raises(InputError, match="have the features of the original model"):
        import_towers(tmp_path / "hub", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def with_other_weights(build: Callable[..., Any]) -> Callable[..., Any]:
    """A function that builds a tower and changes one of its weights."""

    def changed(*args: Any, **more: Any) -> Any:
        parts = build(*args, **more)
        parts.block.layer.output.dense.weight.data.mul_(3)
        return parts

    return changed
