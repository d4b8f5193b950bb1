from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fedaid.errors import InputError
from fedaid.models.configuration import IMAGE_ENCODERS, TEXT_ENCODERS, choose
from fedaid.models.hugging_face import option_names
from fedaid.models.image_tower import MONAI


def choice(encoder: Any) -> dict[str, Any]:
    return choose(encoder, TEXT_ENCODERS, setting="text_encoder").described


def test_presets_are_plain_json() -> None:
    presets = IMAGE_ENCODERS | TEXT_ENCODERS
    assert json.loads(json.dumps(presets)) == presets
    assert len(presets) == 12


def test_every_option_of_a_hugging_face_preset_exists() -> None:
    from transformers import AutoConfig

    presets = {name: options for name, options in (IMAGE_ENCODERS | TEXT_ENCODERS).items() if name not in MONAI}
    assert len(presets) == 9
    for name, options in presets.items():
        assert set(options) <= set(option_names(type(AutoConfig.for_model(name)))), name


def test_a_name_stands_for_all_its_options() -> None:
    assert choice("bert") == {"name": "bert"} | TEXT_ENCODERS["bert"]


def test_an_option_overrides_the_preset() -> None:
    assert choice({"name": "bert", "num_hidden_layers": 6}) == choice("bert") | {"num_hidden_layers": 6}


def test_a_choice_spelled_out_stands_for_itself() -> None:
    assert choice(choice("bert")) == choice("bert")


def test_choosing_does_not_change_the_preset() -> None:
    before = json.dumps(TEXT_ENCODERS)
    choose("bert", TEXT_ENCODERS, setting="text_encoder").options["hidden_size"] = 1
    assert json.dumps(TEXT_ENCODERS) == before


@pytest.mark.parametrize("encoder", ["gpt", "vit", "", {}, {"hidden_size": 8}, 3, None])
def test_an_unknown_encoder_is_refused(encoder: Any) -> None:
    with pytest.raises(InputError, match=r"^text_encoder must name a known encoder.*bert, roberta"):
        choice(encoder)


@pytest.mark.parametrize("form", [str, lambda name: {"name": name}])
def test_a_local_folder_is_described_without_it(form: Callable[[str], Any], saved: Callable[..., Any]) -> None:
    saved("bert")
    described = choice(form("local:bert"))
    assert described["name"] == "bert"
    assert described["hidden_size"] == 16
    assert described["max_position_embeddings"] == 512  # equal to the default, so config.json may leave it out


def test_a_local_folder_is_where_the_weights_are(saved: Callable[..., Any], models_folder: Path) -> None:
    saved("bert")
    assert choose("local:bert", TEXT_ENCODERS, setting="text_encoder").weights == models_folder / "bert"


def test_options_beside_a_local_folder_are_refused(saved: Callable[..., Any]) -> None:
    saved("bert")
    with pytest.raises(
        InputError,
        match=r"^text_encoder must have no options but frozen, pooling, .* beside a folder, got \['hidden_size'\]",
    ):
        choice({"name": "local:bert", "hidden_size": 8})


def test_frozen_is_an_option_of_every_encoder_and_of_a_folder(saved: Callable[..., Any]) -> None:
    saved("bert")
    for encoder in ("bert", "local:bert"):
        assert choice({"name": encoder, "frozen": True}) == choice(encoder) | {"frozen": True}
        assert choice({"name": encoder, "frozen": False}) == choice(encoder)
    assert choose({"name": "local:bert", "frozen": True}, TEXT_ENCODERS, setting="text_encoder").weights is not None
    assert choice(choice({"name": "local:bert", "frozen": True}))["frozen"] is True


@pytest.mark.parametrize("value", [1, "true", None, []])
def test_frozen_is_true_or_false(value: object) -> None:
    with pytest.raises(InputError, match=r"^frozen must be true or false, got .*: model args"):
        choice({"name": "bert", "frozen": value})


def test_a_local_image_model_is_no_text_encoder(saved: Callable[..., Any]) -> None:
    saved("vit")
    with pytest.raises(InputError, match="got 'vit'"):
        choice("local:vit")
