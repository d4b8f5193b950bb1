from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from fedaid.losses.binding import binding_loss
from fedaid.losses.contrastive import info_nce_loss
from fedaid.models.dual_encoder import DualEncoder, Embeddings
from fedaid.training.accumulation import embed_in_parts, micro_batches, still_buffers

SIZES = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
NO_BATCH_NORM: dict[str, Any] = {
    "image_encoder": {"name": "vit", "patch_size": 8} | SIZES,
    "text_encoder": {"name": "bert"} | SIZES,
    "image_size": 16,
    "embedding_dim": 8,
    "projection_hidden": 16,
    "max_tokens": 20,
}


def a_batch(pairs: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(3, 20, (pairs,), generator=generator)
    mask = torch.arange(int(lengths.max())) < lengths[:, None]
    ids = torch.randint(5, 100, mask.shape, generator=generator) * mask
    return torch.randn(pairs, 1, 16, 16, generator=generator), ids, mask


def gradients(model: DualEncoder, inputs: tuple[Tensor, Tensor, Tensor], size: int, **given: Any) -> dict[str, Tensor]:
    """Gradients of L + λ R with duplicates in the batch and the logit scale learned."""
    pairs = len(inputs[0])
    groups = torch.arange(pairs) // 2 * 2 if pairs > 2 else torch.arange(pairs)
    target = nn.functional.normalize(torch.ones(pairs, 8, dtype=inputs[0].dtype), dim=1)
    model.zero_grad()
    embeddings = embed_in_parts(given.get("embed", model), inputs, size=size, model=model)
    loss = info_nce_loss(*embeddings, model.logit_scale, groups) + 0.5 * binding_loss(*embeddings, target, target)
    loss.backward()  # type: ignore[no-untyped-call]
    found = {name: weight.grad for name, weight in model.named_parameters()}
    return {name: grad.clone() for name, grad in found.items() if grad is not None}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    assert "log_logit_scale" in one
    assert len(one) > 20
    for name, gradient in one.items():
        assert float((gradient - other[name]).abs().max()) <= allowed(gradient), name


def allowed(gradient: Tensor) -> float:
    """1e-10 in double precision; in single precision 1e-5 of the tensor's own largest value.

    The bias of a key has no gradient, since a softmax does not see a shift: what is there, about 1e-10, is rounding.
    """
    return 1e-10 if gradient.dtype == torch.float64 else max(1e-5 * float(gradient.abs().max()), 1e-9)


@settings(max_examples=15, deadline=None)
@given(pairs=st.integers(2, 13), size=st.integers(1, 12), seed=st.integers(0, 99))
def test_the_gradient_of_parts_is_that_of_the_whole_batch(pairs: int, size: int, seed: int) -> None:
    """In double precision, where rounding hides nothing."""
    model = DualEncoder(**NO_BATCH_NORM).eval().double()
    images, ids, mask = a_batch(pairs, seed)
    inputs = (images.double(), ids, mask)
    same(gradients(model, inputs, size), gradients(model, inputs, pairs))


def test_it_is_so_in_single_precision() -> None:
    model, inputs = DualEncoder(**NO_BATCH_NORM).eval(), a_batch(32, 0)
    same(gradients(model, inputs, 4), gradients(model, inputs, 32))


def test_it_is_so_with_batch_norm_in_evaluation_mode(model: DualEncoder) -> None:
    images, ids, mask = a_batch(12, 1)
    inputs = (nn.functional.interpolate(images, size=32), ids, mask)
    same(gradients(model.eval(), inputs, 4), gradients(model, inputs, 12))


def test_the_second_pass_has_the_dropout_of_the_first() -> None:
    """Else the gradient would be that of embeddings which the loss has never seen."""
    model, inputs = DualEncoder(**NO_BATCH_NORM).train(), a_batch(8, 0)
    masks: list[Tensor] = []

    def embed(*part: Tensor) -> Embeddings:
        masks.append(torch.rand(3))
        return model(*part)  # type: ignore[no-any-return]

    torch.manual_seed(3)
    gradients(model, inputs, 4, embed=embed)
    first, second = masks[:2], masks[2:]
    assert len(second) == 2
    assert not torch.equal(first[0], first[1])
    assert {tuple(mask.tolist()) for mask in first} == {tuple(mask.tolist()) for mask in second}


def test_with_dropout_the_gradient_is_that_of_the_same_parts_in_one_go() -> None:
    model, inputs = DualEncoder(**NO_BATCH_NORM).train(), a_batch(8, 0)

    def at_once(*_: Tensor) -> Embeddings:
        parts = [model(*part) for part in micro_batches(inputs, 4)]
        return Embeddings(torch.cat([p.image for p in parts]), torch.cat([p.text for p in parts]))

    torch.manual_seed(3)
    expected = gradients(model, inputs, 8, embed=at_once)
    torch.manual_seed(3)
    same(gradients(model, inputs, 4), expected)


def test_running_statistics_move_once_for_each_part(model: DualEncoder) -> None:
    images, ids, mask = a_batch(8, 1)
    inputs = (nn.functional.interpolate(images, size=32), ids, mask)
    gradients(model.train(), inputs, 4)
    counts = {int(value) for name, value in model.state_dict().items() if name.endswith("num_batches_tracked")}
    assert counts == {2}


def test_the_tensors_kept_for_the_backward_pass_are_those_of_one_part() -> None:
    model, inputs = DualEncoder(**NO_BATCH_NORM), a_batch(16, 0)

    def kept(size: int) -> int:
        held: dict[int, int] = {}
        with torch.autograd.graph.saved_tensors_hooks(lambda t: (held.update({t.data_ptr(): t.nbytes}), t)[1], _same):
            embed_in_parts(model, inputs, size=size, model=model)
        return sum(held.values())

    assert kept(2) < 0.2 * kept(16)


def _same(tensor: Tensor) -> Tensor:
    return tensor


@pytest.mark.parametrize("size", [8, 20])
def test_a_batch_no_larger_than_a_part_is_embedded_as_it_is(size: int) -> None:
    calls: list[int] = []

    def embed(*part: Tensor) -> Embeddings:
        calls.append(len(part[0]))
        return Embeddings(part[0].flatten(1), part[0].flatten(1))

    embed_in_parts(embed, a_batch(8, 0), size=size, model=nn.Identity())
    assert calls == [8]


def test_parts_hold_hardly_any_padding_that_none_of_their_texts_needs() -> None:
    inputs = a_batch(9, 4)
    parts = micro_batches(inputs, 4)
    assert [len(images) for images, _, _ in parts] == [4, 4, 1]
    for _, ids, mask in parts:
        assert mask.shape[1] - mask.any(dim=0).sum() < 8
        assert ids.shape == mask.shape
    tokens: Callable[[list[Any]], int] = lambda all_parts: sum(int(mask.sum()) for _, _, mask in all_parts)  # noqa: E731
    assert tokens(parts) == int(inputs[2].sum())


def test_buffers_are_as_before_even_after_an_error() -> None:
    norm = nn.BatchNorm1d(3)
    with pytest.raises(ValueError, match="expected 2D"), still_buffers(norm):
        norm(norm(torch.randn(5, 3))[0])
    assert norm.num_batches_tracked == 0
    assert (norm.running_mean == 0).all()  # type: ignore[union-attr]
