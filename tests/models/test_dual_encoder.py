from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from fedaid.errors import InputError
from fedaid.models.configuration import IMAGE_ENCODERS, TEXT_ENCODERS
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.position_grid import interpolated
from fedaid.models.tensor_names import is_alignment

SIZE = 64
TEXTS = sorted(TEXT_ENCODERS)
PAIRS = [(image, "bert") for image in sorted(IMAGE_ENCODERS)] + [("monai_resnet", text) for text in TEXTS]


def build(image: Any = "monai_resnet", text: Any = "bert", **others: Any) -> DualEncoder:
    arguments = {"image_size": SIZE, "embedding_dim": 16, "projection_hidden": 16, "max_tokens": 40} | others
    return DualEncoder(image_encoder=image, text_encoder=text, **arguments)


def batch(rows: int = 3, tokens: int = 12) -> tuple[Tensor, Tensor, Tensor]:
    """Images, token ids and mask; row 0 has five real tokens."""
    draw = torch.Generator().manual_seed(0)
    ids, mask = torch.randint(5, 500, (rows, tokens), generator=draw), torch.ones(rows, tokens, dtype=torch.bool)
    mask[0, 5:] = False
    ids[~mask] = 0
    return torch.rand(rows, 1, SIZE, SIZE, generator=draw) * 2 - 1, ids, mask


@pytest.mark.parametrize(("image", "text"), PAIRS)
def test_embeddings_of_any_preset_have_unit_norm(image: str, text: str) -> None:
    embeddings = build(image, text)(*batch())
    for found in embeddings:
        assert found.shape == (3, 16)
        torch.testing.assert_close(found.norm(dim=1), torch.ones(3))


@pytest.mark.parametrize(("image", "text"), PAIRS)
def test_every_parameter_of_any_preset_takes_a_gradient(image: str, text: str) -> None:
    model, drawn = build(image, text), torch.Generator().manual_seed(1)
    embeddings = model(*batch())
    directions = torch.randn(2, 3, 16, generator=drawn)
    loss = model.logit_scale * ((embeddings.image * directions[0]).sum() + (embeddings.text * directions[1]).sum())
    loss.backward()
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []
    for part in ("image.encoder", "image.alignment", "text.encoder", "text.alignment"):
        gradients = [p.grad for name, p in model.named_parameters() if name.startswith(part) and p.grad is not None]
        assert max(gradient.abs().max().item() for gradient in gradients) > 1e-6


@pytest.mark.parametrize(("image", "text"), PAIRS)
def test_names_of_the_state_say_what_belongs_to_the_alignment(image: str, text: str) -> None:
    model = build(image, text)
    names = list(model.state_dict())
    assert {".".join(name.split(".")[:2]) for name in names} == {
        "image.encoder", "image.alignment", "text.encoder", "text.alignment", "log_logit_scale",
    }  # fmt: skip
    modules = {f"{t}.alignment.{k}" for t in ("image", "text") for k in getattr(model, t)["alignment"].state_dict()}
    assert {name for name in names if is_alignment(name)} == modules | {"log_logit_scale"}


@pytest.mark.parametrize("text", TEXTS)
def test_a_longer_neighbour_does_not_change_an_embedding(text: str) -> None:
    model, (images, ids, mask) = build(text=text).eval(), batch()
    with torch.no_grad():
        together, alone = model(images, ids, mask).text[0], model(images[:1], ids[:1, :5], mask[:1, :5]).text[0]
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("text", TEXTS)
def test_token_ids_at_padding_do_not_change_an_embedding(text: str) -> None:
    model, (images, ids, mask) = build(text=text).eval(), batch()
    with torch.no_grad():
        clean, dirty = model(images, ids, mask).text, model(images, torch.where(mask, ids, 77), mask).text
    torch.testing.assert_close(dirty, clean, atol=1e-5, rtol=0)


@pytest.mark.parametrize("text", TEXTS)
def test_a_real_token_does_change_an_embedding(text: str) -> None:
    model, (images, ids, mask) = build(text=text).eval(), batch()
    other = ids.clone()
    other[0, 4] = 77
    with torch.no_grad():
        assert not torch.allclose(model(images, other, mask).text[0], model(images, ids, mask).text[0], atol=1e-4)


@pytest.mark.parametrize(("image", "text"), PAIRS)
def test_the_same_seed_gives_the_same_weights(image: str, text: str) -> None:
    first = build(image, text, seed=3).state_dict()
    torch.rand(7)
    second = build(image, text, seed=3).state_dict()
    assert all(torch.equal(tensor, second[name]) for name, tensor in first.items())


def test_another_seed_gives_other_weights() -> None:
    first, second = (build(seed=seed).state_dict()["image.alignment.projection.0.weight"] for seed in (0, 1))
    assert not torch.equal(first, second)


@pytest.mark.parametrize(("image", "text"), PAIRS)
def test_building_leaves_the_random_state_alone(image: str, text: str) -> None:
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()  # type: ignore[index, union-attr]
    build(image, text)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]  # type: ignore[index, union-attr]


def test_the_gpus_are_not_seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    seeded: list[int] = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeded.append)
    build(seed=5)
    assert seeded == []


@pytest.mark.parametrize(("image", "text"), PAIRS)
def test_the_configuration_builds_the_same_model_again(image: str, text: str) -> None:
    model = build(image, text)
    again = DualEncoder(**json.loads(json.dumps(model.configuration)))
    assert again.configuration == model.configuration
    state = again.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())


def test_a_local_model_is_rebuilt_elsewhere(
    saved: Callable[..., Any], models_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved("vit")
    saved("bert")
    model = build({"name": "local:vit"}, "local:bert", image_size=32)
    monkeypatch.delenv("FEDAID_MODELS")
    elsewhere = DualEncoder(**json.loads(json.dumps(model.configuration)))
    elsewhere.load_state_dict(model.state_dict(), strict=True)
    images, ids, mask = torch.randn(2, 1, 32, 32), *(tensor[:2] for tensor in batch()[1:])
    with torch.no_grad():
        torch.testing.assert_close(elsewhere.eval()(images, ids, mask), model.eval()(images, ids, mask))


@pytest.mark.parametrize("form", [str, lambda name: {"name": name}])
def test_a_local_model_starts_from_its_weights(form: Callable[[str], Any], saved: Callable[..., Any]) -> None:
    source = saved("bert").state_dict()
    model = build(text=form("local:bert"))
    found = model.state_dict()["text.encoder.backbone.embeddings.word_embeddings.weight"]
    assert torch.equal(found, source["embeddings.word_embeddings.weight"])


def test_a_local_text_encoder_with_another_vocabulary_is_refused(
    saved: Callable[..., Any], models_folder: Path
) -> None:
    saved("bert")
    (models_folder / "bert" / "vocab.txt").write_text("[PAD]\nlung\n")
    with pytest.raises(InputError, match="Set vocabulary to local:bert"):
        build(text="local:bert")


def test_a_local_image_encoder_takes_another_size(saved: Callable[..., Any]) -> None:
    source = saved("vit").state_dict()["embeddings.position_embeddings"]
    model = build("local:vit", image_size=64)
    found = model.image["encoder"].backbone.embeddings.position_embeddings
    assert torch.equal(found, interpolated(source, 8, old_side=4))
    assert model.configuration["image_encoder"]["image_size"] == 64


def test_a_local_image_encoder_for_a_size_between_patches_is_refused(saved: Callable[..., Any]) -> None:
    saved("vit")
    with pytest.raises(InputError, match=r"^image_size must be a multiple of the encoder's patch size 8, got 36"):
        build("local:vit", image_size=36)


def test_a_local_model_of_an_unknown_type_is_refused(models_folder: Path) -> None:
    (models_folder / "odd").mkdir()
    (models_folder / "odd" / "config.json").write_text('{"model_type": "odd"}')
    with pytest.raises(InputError, match=r"^encoder must be of a type that"):
        build(text="local:odd")


@pytest.mark.parametrize(
    ("setting", "encoder"),
    [
        ("image", "alexnet"),
        ("image", {"name": "vit", "hiden_size": 8}),
        ("image", {"name": "vit", "hidden_size": "wide"}),
        ("image", {"name": "vit", "num_hidden_layers": 0}),
        ("image", {"name": "vit", "image_size": 32}),
        ("image", {"name": "monai_vit", "hiden_size": 8}),
        ("image", {"name": "monai_vit", "hidden_size": 130}),
        ("image", {"name": "monai_resnet", "layers": [1]}),
        ("text", {"name": "bert", "hiden_size": 8}),
        ("text", {"name": "bert", "num_attention_heads": 5}),
        ("text", {"name": "distilbert", "hidden_size": 8}),
    ],
)
def test_an_unusable_encoder_is_refused_in_clear_words(setting: str, encoder: Any) -> None:
    with pytest.raises(InputError, match="encoder"):
        build(**{setting: encoder})


def test_temperature_zero_is_refused() -> None:
    with pytest.raises(InputError, match=r"^temperature must be in"):
        build(temperature=0)


def test_the_logit_scale_starts_at_the_inverse_temperature() -> None:
    assert build(temperature=0.05).logit_scale.item() == pytest.approx(20)


def test_the_logit_scale_is_limited_and_can_come_back() -> None:
    model = build()
    with torch.no_grad():
        model.log_logit_scale.fill_(200.0)
    assert model.logit_scale.item() == pytest.approx(100)
    model.logit_scale.backward()  # type: ignore[no-untyped-call]
    assert model.log_logit_scale.grad is not None
    assert model.log_logit_scale.grad > 0


def test_aligning_kept_features_is_the_whole_forward() -> None:
    model, (images, ids, mask) = build().eval(), batch()
    with torch.no_grad():
        in_parts = model.align(model.image_features(images), model.text_features(ids, mask), mask)
        torch.testing.assert_close(in_parts, model(images, ids, mask))


FROZEN_BERT = {"name": "bert", "frozen": True}


@pytest.mark.parametrize("tower", ["image", "text"])
def test_a_frozen_encoder_stays_in_evaluation_mode_and_keeps_nothing_for_a_way_back(tower: str) -> None:
    model = build(**{tower: {"name": "monai_resnet" if tower == "image" else "bert", "frozen": True}}).train()
    other = "text" if tower == "image" else "image"
    assert not any(module.training for module in model.encoder(tower).modules())
    assert all(module.training for module in model.encoder(other).modules())
    assert getattr(model, tower)["alignment"].training
    images, ids, mask = batch()
    features = {"image": model.image_features(images), "text": model.text_features(ids, mask)}
    assert not features[tower].requires_grad
    assert features[other].requires_grad


def test_a_frozen_encoder_has_no_dropout_in_training() -> None:
    model, (_, ids, mask) = build(text=FROZEN_BERT).train(), batch()
    assert torch.equal(model.text_features(ids, mask), model.text_features(ids, mask))
    learning = build().train()
    assert not torch.equal(learning.text_features(ids, mask), learning.text_features(ids, mask))


def test_a_step_moves_all_but_the_frozen_encoder() -> None:
    model = build({"name": "monai_resnet", "frozen": True}, FROZEN_BERT).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    optimizer = torch.optim.SGD([weight for weight in model.parameters() if weight.requires_grad], lr=0.1)
    image, text = model(*batch())
    (model.logit_scale * (image * text.roll(1, 0)).sum()).backward()
    optimizer.step()
    moved = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert len(moved) > 10
    assert all(is_alignment(name) for name in moved)


def test_freezing_changes_no_initial_weight_and_is_part_of_the_configuration() -> None:
    model, plain = build(text=FROZEN_BERT), build()
    assert all(torch.equal(tensor, plain.state_dict()[name]) for name, tensor in model.state_dict().items())
    assert model.frozen_towers == ("text",)
    assert DualEncoder(**json.loads(json.dumps(model.configuration))).frozen_towers == ("text",)
    assert "frozen" not in json.dumps(plain.configuration)


def test_adapters_are_not_put_into_a_frozen_encoder() -> None:
    model = build("vit", FROZEN_BERT, adapters={"rank": 2})
    adapted = {name.split(".")[0] for name in model.state_dict() if ".lora_" in name}
    assert adapted == {"image"}
    with pytest.raises(InputError, match=r"^adapters must be null where both encoders are frozen"):
        build({"name": "vit", "frozen": True}, FROZEN_BERT, adapters={"rank": 2})


def test_a_copy_of_a_model_keeps_its_frozen_encoder_frozen() -> None:
    model = copy.deepcopy(build(text=FROZEN_BERT)).train()
    assert not model.encoder("text").training
    assert model.encoder("image").training


def test_a_frozen_local_encoder_starts_from_the_folders_weights(saved: Callable[..., Any]) -> None:
    saved("bert")
    frozen, learning = (build(text={"name": "local:bert", "frozen": value}) for value in (True, False))
    names = [name for name in frozen.state_dict() if name.startswith("text.encoder.")]
    assert len(names) > 20
    assert all(torch.equal(frozen.state_dict()[name], learning.state_dict()[name]) for name in names)
    elsewhere = build(text=frozen.configuration["text_encoder"])  # without the folder: the weights come by message
    assert elsewhere.frozen_towers == ("text",)
    assert not all(torch.equal(frozen.state_dict()[name], elsewhere.state_dict()[name]) for name in names)
