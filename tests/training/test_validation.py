from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from fedaid.data.site_data import SiteData
from fedaid.models.dual_encoder import DualEncoder, Embeddings
from fedaid.training import validation
from fedaid.training.validation import embed, validation_loss

ONE = torch.tensor(1.0)


def random_embeddings(studies: int, seed: int) -> Embeddings:
    generator = torch.Generator().manual_seed(seed)
    return Embeddings(*(functional.normalize(torch.randn(studies, 64, generator=generator), dim=1) for _ in range(2)))


def test_orthogonal_pairs_give_the_loss_worked_by_hand() -> None:
    basis = torch.eye(6)
    expected = -math.log(math.e / (math.e + 1))  # one match at 1, one other at 0, in every batch of two
    assert validation_loss(Embeddings(basis, basis), ONE, batch_size=2) == pytest.approx(expected)


def test_equal_embeddings_give_log_b() -> None:
    same = torch.zeros(10, 4)
    same[:, 0] = 1.0
    assert validation_loss(Embeddings(same, same), ONE, batch_size=5) == pytest.approx(math.log(5))


def test_random_embeddings_give_about_log_b() -> None:
    assert validation_loss(random_embeddings(160, 0), ONE, batch_size=16) == pytest.approx(math.log(16), abs=0.05)


def test_all_batches_have_the_fixed_size(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def count(image: torch.Tensor, text: torch.Tensor, scale: torch.Tensor, groups: torch.Tensor) -> torch.Tensor:
        sizes.append(len(image))
        return ONE

    monkeypatch.setattr(validation, "info_nce_loss", count)
    validation_loss(random_embeddings(10, 0), ONE, batch_size=4)
    assert sizes == [4, 4, 4]


def test_the_last_batch_is_filled_from_the_start_of_the_order_and_holds_no_pair_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batches: list[list[int]] = []

    def note(image: torch.Tensor, text: torch.Tensor, scale: torch.Tensor, groups: torch.Tensor) -> torch.Tensor:
        batches.append(image[:, 0].int().tolist())
        return ONE

    monkeypatch.setattr(validation, "info_nce_loss", note)
    numbered = torch.arange(10.0)[:, None]
    validation_loss(Embeddings(numbered, numbered), ONE, batch_size=4)
    assert batches[2][2:] == batches[0][:2]
    assert all(len(set(batch)) == 4 for batch in batches)
    assert {study for batch in batches for study in batch} == set(range(10))


def test_the_order_of_the_manifest_does_not_matter_in_expectation() -> None:
    """Pairs sorted by finding: neighbours are near, so batches of neighbours would be hard."""
    embeddings = random_embeddings(64, 1)
    finding = torch.arange(8).repeat_interleave(8)
    near = functional.normalize(embeddings.image + 3 * functional.one_hot(finding, 64), dim=1)
    pairs = Embeddings(near, near)
    scale = torch.tensor(10.0)
    rng = np.random.default_rng(0)
    orders = [torch.from_numpy(rng.permutation(64)) for _ in range(60)]
    shuffled = [validation_loss(Embeddings(near[order], near[order]), scale, batch_size=8) for order in orders]
    assert validation_loss(pairs, scale, batch_size=8) == pytest.approx(np.mean(shuffled), abs=4 * np.std(shuffled))
    blocks = validation_loss(Embeddings(near[:8], near[:8]), scale, batch_size=8)
    assert blocks > np.mean(shuffled) + 10 * np.std(shuffled)


def test_the_logit_scale_multiplies_similarities() -> None:
    basis = torch.eye(4)
    expected = -math.log(math.e**3 / (math.e**3 + 1))
    assert validation_loss(Embeddings(basis, basis), torch.tensor(3.0), batch_size=2) == pytest.approx(expected)


def test_a_split_is_embedded_in_its_order(model: DualEncoder, site_data: SiteData) -> None:
    whole = embed(model, site_data.train, batch_size=100)
    parts = embed(model, site_data.train, batch_size=4)
    assert len(whole.image) == len(site_data.train)
    assert torch.allclose(whole.image, parts.image, atol=1e-5)
    assert torch.allclose(whole.text, parts.text, atol=1e-5)


def test_texts_of_about_one_length_are_embedded_together(
    model: DualEncoder, site_data: SiteData, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens: list[int] = []
    forward = model.forward

    def count(images: torch.Tensor, token_ids: torch.Tensor, mask: torch.Tensor) -> Embeddings:
        tokens.append(token_ids.numel())
        return forward(images, token_ids, mask)

    monkeypatch.setattr(model, "forward", count)
    embed(model, site_data.train, batch_size=4)
    lengths = [len(ids) for ids in site_data.train.token_ids]
    in_order = sum(4 * max(lengths[start : start + 4]) for start in range(0, len(lengths), 4))
    assert sum(lengths) <= sum(tokens) < in_order


def test_embedding_changes_no_bit_of_the_model(model: DualEncoder, site_data: SiteData) -> None:
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    embed(model.train(), site_data.valid, batch_size=4)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_studies_with_one_text_are_no_negatives_in_the_validation_loss() -> None:
    basis = torch.eye(4)
    alone = validation_loss(Embeddings(basis, basis), ONE, batch_size=4)
    normals = validation_loss(Embeddings(basis, basis), ONE, batch_size=4, groups=np.array([5, 5, 5, 5]))
    pair = validation_loss(Embeddings(basis, basis), ONE, batch_size=4, groups=np.array([0, 0, 1, 2]))
    assert normals == 0
    fewer = math.log(4) / math.log(3) * math.log(1 + 2 / math.e)
    assert pair == pytest.approx((2 * fewer + 2 * math.log(1 + 3 / math.e)) / 4)
    assert alone == pytest.approx(math.log(1 + 3 / math.e))
