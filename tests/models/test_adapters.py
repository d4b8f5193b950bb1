from __future__ import annotations

import json
import pickle
import subprocess
import sys
from typing import Any, NoReturn

import pytest
import torch
from torch import Tensor, nn

from fedaid.errors import InputError
from fedaid.models.adapters import AdapterSettings, adapter_settings, add_adapters, linear_layers
from fedaid.models.dual_encoder import DualEncoder, Embeddings
from fedaid.models.tensor_names import is_alignment
from fedaid.training.hardware import checkpoint_encoders

SIZE = 32
PAIRS = [("vit", "bert"), ("dinov2", "roberta"), ("monai_vit", "distilbert"), ("swin", "electra")]
SHARE_OF_QUERY_AND_VALUE = 0.1  # of an encoder's parameters, at rank 4


def build(image: str = "vit", text: str = "bert", adapters: Any = None, **others: Any) -> DualEncoder:
    layers = {"n_layers" if text == "distilbert" else "num_hidden_layers": 3}
    arguments = {"image_size": SIZE, "embedding_dim": 16, "projection_hidden": 16, "max_tokens": 40} | others
    return DualEncoder(image_encoder=image, text_encoder={"name": text} | layers, adapters=adapters, **arguments)


def batch() -> tuple[Tensor, Tensor, Tensor]:
    draw = torch.Generator().manual_seed(0)
    ids = torch.randint(5, 500, (3, 12), generator=draw)
    return torch.rand(3, 1, SIZE, SIZE, generator=draw) * 2 - 1, ids, torch.ones_like(ids, dtype=torch.bool)


def trained_step(model: DualEncoder, steps: int = 2) -> Embeddings:
    """Takes steps with all parameters given to the optimizer; the embeddings after them."""
    optimizer = torch.optim.AdamW(model.train().parameters(), lr=1e-2)
    for _ in range(steps):
        image, text = model(*batch())
        optimizer.zero_grad()
        (image * text).sum().backward()
        optimizer.step()
    with torch.no_grad():
        after: Embeddings = model.eval()(*batch())
    return after


@pytest.mark.parametrize(("image", "text"), PAIRS)
def test_at_the_start_a_model_embeds_as_one_without_adapters(image: str, text: str) -> None:
    with torch.no_grad():
        expected, found = (build(image, text, adapters).eval()(*batch()) for adapters in (None, {"rank": 4}))
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize(("image", "text"), PAIRS)
def test_of_an_encoder_only_adapters_learn_and_of_the_rest_all(image: str, text: str) -> None:
    model = build(image, text, {"rank": 4})
    learns = {name for name, weight in model.named_parameters() if weight.requires_grad}
    rest = {name for name, _ in model.named_parameters() if is_alignment(name)}
    assert rest <= learns
    assert len(learns - rest) >= 4
    assert all(".lora_" in name and not is_alignment(name) for name in learns - rest)
    assert {name.split(".")[0] for name in learns - rest} == {"image", "text"}


def test_steps_move_adapters_and_alignment_and_no_weight_beside_them() -> None:
    model = build(adapters={"rank": 4})
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    trained_step(model)
    moved = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    adapters = {name for name in before if ".lora_" in name}
    assert adapters <= moved
    assert all(is_alignment(name) for name in moved - adapters)
    assert len(moved - adapters) > 10


def test_adapters_are_a_small_part_of_an_encoder() -> None:
    encoder = build(adapters={"rank": 4}).text["encoder"]
    small = sum(weight.numel() for weight in encoder.parameters() if weight.requires_grad)
    assert 0 < small < SHARE_OF_QUERY_AND_VALUE * sum(weight.numel() for weight in encoder.parameters())


def test_the_number_of_their_parameters_by_hand() -> None:
    found, plain = (
        sum(weight.numel() for weight in build(adapters=adapters).text.parameters()) for adapters in ({"rank": 4}, None)
    )
    assert found - plain == 2 * 2 * 4 * (128 + 128)  # blocks before the last, query and value, A and B of rank 4


def test_other_weights_are_those_of_the_same_seed_without_adapters() -> None:
    adapted = build(adapters={}).state_dict()
    plain = build().state_dict()
    found = {name.replace(".base_layer.", "."): tensor for name, tensor in adapted.items() if ".lora_" not in name}
    assert found.keys() == plain.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in plain.items())


def test_the_configuration_builds_the_same_model_again() -> None:
    model = build(adapters={"rank": 2, "targets": ["q_proj", "query", "attention.output.dense"]})
    again = DualEncoder(**json.loads(json.dumps(model.configuration)))
    assert again.configuration == model.configuration
    state = again.state_dict()
    assert state.keys() == model.state_dict().keys()
    assert all(torch.equal(state[name], tensor) for name, tensor in model.state_dict().items())


def test_the_state_is_plain_tensors_of_unmistakable_names() -> None:
    state = build(adapters={}).state_dict()
    assert all(type(tensor) is Tensor and tensor.dtype.is_floating_point for tensor in state.values())
    assert "text.encoder.backbone.encoder.layer.0.attention.self.query.lora_A.default.weight" in state
    assert "text.encoder.backbone.encoder.layer.0.attention.self.query.base_layer.weight" in state


def test_building_leaves_the_random_state_alone() -> None:
    before = torch.get_rng_state()
    build(adapters={"rank": 4, "dropout": 0.1})
    assert torch.equal(torch.get_rng_state(), before)


def test_alpha_scales_what_they_add() -> None:
    def linear_by(alpha: float) -> Tensor:
        torch.manual_seed(0)
        encoder = nn.Sequential(nn.Linear(4, 4, bias=False))
        add_adapters({"encoder": encoder}, AdapterSettings(rank=2, alpha=alpha, targets=["0"]))
        with torch.no_grad():
            encoder[0].lora_B["default"].weight.fill_(1.0)  # type: ignore[index, union-attr]
            return encoder(torch.ones(1, 4)) - encoder[0].base_layer(torch.ones(1, 4))  # type: ignore[operator, no-any-return]

    torch.testing.assert_close(linear_by(6.0), 3 * linear_by(2.0))


def test_dropout_acts_in_training_only() -> None:
    model = build(adapters={"dropout": 0.5, "rank": 4})
    trained_step(model)
    layer = model.image["encoder"].get_submodule("backbone.layers.0.attention.q_proj")
    with torch.no_grad():
        once, twice = (layer.train()(torch.ones(1, 128)) for _ in range(2))
        still, again = (layer.eval()(torch.ones(1, 128)) for _ in range(2))
    assert not torch.equal(once, twice)
    assert torch.equal(still, again)


def test_checkpointed_encoders_give_the_same_gradients() -> None:
    plain, checkpointed = build(adapters={"rank": 4}), build(adapters={"rank": 4})
    checkpoint_encoders(checkpointed)
    torch.testing.assert_close(trained_with(checkpointed), trained_with(plain), atol=1e-6, rtol=1e-5)


def trained_with(model: DualEncoder) -> dict[str, Tensor]:
    """Gradients by name; dropout is drawn from one seed."""
    torch.manual_seed(1)
    image, text = model.train()(*batch())
    (image * text).sum().backward()
    found = {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}
    assert sum(".lora_B" in name for name in found) >= 4
    return found


@pytest.mark.parametrize("image", ["resnet", "convnext", "monai_resnet", "monai_densenet121"])
def test_an_encoder_without_attention_is_refused(image: str) -> None:
    with pytest.raises(InputError, match=r"^adapters must be null where image_encoder has no layer for them"):
        build(image, adapters={})


def test_an_encoder_whose_only_block_is_the_last_is_refused() -> None:
    with pytest.raises(InputError, match=r"^adapters must be null where text_encoder has no layer for them"):
        DualEncoder(text_encoder={"name": "bert", "num_hidden_layers": 1}, image_size=SIZE, adapters={})


def test_targets_that_one_tower_lacks_are_refused_for_it() -> None:
    with pytest.raises(InputError, match=r"where text_encoder has no layer .* got adapters for \['q_proj'\]"):
        build(adapters={"targets": ["q_proj"]})


def test_a_target_that_no_tower_has_is_refused() -> None:
    with pytest.raises(InputError, match=r"^adapters.targets must name linear layers of an encoder.*, got 'quer'"):
        build(adapters={"targets": ["q_proj", "query", "quer"]})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rank", 0),
        ("rank", 2.0),
        ("rank", True),
        ("alpha", 0),
        ("alpha", float("nan")),
        ("alpha", "16"),
        ("dropout", 1),
        ("dropout", -0.1),
        ("targets", "all-linear"),
        ("targets", []),
        ("targets", [3]),
    ],
)
def test_an_unusable_value_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=rf"^adapters\.{name} must "):
        adapter_settings({name: value})


def test_an_unknown_setting_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(InputError, match=r"got ranks: adapters in model args.*Did you mean rank\?"):
        adapter_settings({"ranks": 8})


def test_what_is_no_mapping_is_refused() -> None:
    with pytest.raises(InputError, match=r"^adapters must be null or hold rank"):
        adapter_settings(8)  # type: ignore[arg-type]


def test_a_layer_is_found_by_the_end_of_its_name_in_whole_parts() -> None:
    encoder = nn.ModuleDict({"a": nn.ModuleDict({"query": nn.Linear(2, 2), "norm": nn.LayerNorm(2)})})
    encoder["subquery"] = nn.Linear(2, 2)
    assert linear_layers(encoder, ["query", "norm"]) == ["a.query"]
    assert linear_layers(encoder, ["a.query"]) == ["a.query"]


def test_nothing_is_unpickled(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("nothing may be unpickled")

    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    monkeypatch.setattr(torch, "load", refuse)
    assert trained_step(build(adapters={})).image.shape == (3, 16)


def test_a_model_without_adapters_does_not_load_peft() -> None:
    code = "import sys; from fedaid.models.dual_encoder import DualEncoder; DualEncoder(image_size=32)"
    run = subprocess.run(
        [sys.executable, "-c", f"{code}; print('peft' in sys.modules)"],
        env={"PYTHONPATH": "custom", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "False"
