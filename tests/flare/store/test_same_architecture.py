from __future__ import annotations

from typing import Any

import pytest

from fedaid.errors import InputError
from fedaid.flare.store.architecture import described, require_same_architecture, require_same_tokens
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.vocabulary import vocabulary_hash

WHERE = "--from best-00002"
FULL: dict[str, Any] = {"vocabulary": "radiology", "seed": 0, "temperature": 0.07, "adapters": None}


@pytest.fixture
def start(model_options: dict[str, Any]) -> dict[str, Any]:
    return described(FULL | model_options)


def test_a_description_is_the_configuration_of_the_built_model(model_options: dict[str, Any]) -> None:
    text = model_options["text_encoder"]
    for changes in ({}, {"adapters": {"rank": 2}, "image_encoder": text | {"name": "vit", "patch_size": 8}}):
        options = FULL | model_options | changes
        assert described(options) == DualEncoder(**options).configuration


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_size": 48}, "image_size must be that of the start model, 32, got 48: --from best-00002. Leave it out"),
        ({"max_tokens": 41}, "max_tokens must be that of the start model, 40, got 41"),
        ({"embedding_dim": 9}, "embedding_dim must be that of the start model, 8, got 9"),
        ({"temperature": 0.1}, "temperature must be that of the start model, 0.07, got 0.1"),
        ({"image_encoder": "vit"}, "image_encoder.name must be that of the start model, monai_resnet, got vit"),
        (
            {"image_encoder": {"name": "monai_resnet", "block_inplanes": [8, 8, 16, 32]}},
            r"image_encoder.block_inplanes must be that of the start model, \[8, 8, 16, 16\], got \[8, 8, 16, 32\]",
        ),
        (
            {
                "image_encoder": {
                    "name": "monai_resnet",
                    "block_inplanes": [8, 8, 16, 16],
                    "pixel_mean": [0.5],
                    "pixel_std": [0.5],
                }
            },
            r"image_encoder.pixel_mean must be that of the start model, nothing, got \[0.5\]",
        ),
    ],
)
def test_the_first_difference_is_named_with_both_values(
    start: dict[str, Any], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=f"^{message}"):
        require_same_architecture(described(start | changes), start, towers_only=False, where=WHERE)


@pytest.mark.parametrize("name", ["embedding_dim", "projection_hidden", "temperature"])
def test_of_the_towers_alone_what_is_drawn_anew_may_differ(start: dict[str, Any], name: str) -> None:
    wanted = start | {name: 0.1 if name == "temperature" else 3}
    require_same_architecture(wanted, start, towers_only=True, where=WHERE)
    with pytest.raises(InputError, match=f"^{name} must be"):
        require_same_architecture(wanted, start, towers_only=False, where=WHERE)


def test_of_the_towers_alone_the_encoders_must_be_the_same(start: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="image_size must be"):
        require_same_architecture(start | {"image_size": 64}, start, towers_only=True, where=WHERE)


def test_an_encoder_may_be_frozen_and_adapters_may_be_added_but_not_changed(start: dict[str, Any]) -> None:
    frozen = start | {"text_encoder": start["text_encoder"] | {"frozen": True}, "seed": 5}
    adapted = described(start | {"adapters": {"rank": 2}})
    for wanted in (frozen, adapted):
        require_same_architecture(wanted, start, towers_only=False, where=WHERE)
    require_same_architecture(adapted, adapted, towers_only=False, where=WHERE)
    for other in (start, described(start | {"adapters": {"rank": 3}})):
        with pytest.raises(InputError, match=r"adapters must be those of the start model, .* export the model"):
            require_same_architecture(other, adapted, towers_only=False, where=WHERE)


def test_the_vocabulary_is_compared_by_its_hash(start: dict[str, Any]) -> None:
    require_same_tokens(start, vocabulary_hash(), where=WHERE)
    with pytest.raises(InputError, match=r"^vocabulary must have the sha256 of the start model's, 00000000"):
        require_same_tokens(start, "0" * 64, where=WHERE)
