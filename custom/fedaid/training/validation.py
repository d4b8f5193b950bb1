"""Embeddings and loss of a model on a split that it is not trained on."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from fedaid.data.dataset import StudyDataset
from fedaid.losses.contrastive import info_nce_loss
from fedaid.models.dual_encoder import DualEncoder, Embeddings
from fedaid.training.batches import plain_batches
from fedaid.training.hardware import autocast


@torch.no_grad()
def embed(model: DualEncoder, dataset: StudyDataset, *, batch_size: int, precision: str = "fp32") -> Embeddings:
    """Embeddings (N, D) of a whole split in its order, on the CPU; in evaluation mode, without augmentation.

    Texts of similar length are embedded together, to save padding. In training they are not, because the pairs of a
    batch are the negatives of the contrastive loss.
    """
    model.eval()
    device = model.log_logit_scale.device
    rows = np.argsort([len(ids) for ids in dataset.token_ids], kind="stable")
    with autocast(precision, device):
        parts = [model(*batch.to(device).inputs) for batch in plain_batches(dataset, rows, batch_size=batch_size)]
    back = torch.from_numpy(np.argsort(rows))
    return Embeddings(*(torch.cat(list(tower)).cpu()[back] for tower in zip(*parts, strict=True)))


@torch.no_grad()
def validation_loss(
    embeddings: Embeddings, logit_scale: torch.Tensor, *, batch_size: int, groups: NDArray[np.int64] | None = None
) -> float:
    """f_i(θ): mean symmetric InfoNCE over batches of one fixed size, in nats.

    Batches are taken in one fixed random order, so that a manifest sorted by finding does not give hard batches. All
    have exactly ``batch_size`` pairs, because the loss grows with the logarithm of the size. The last batch takes
    missing pairs from the start of the order.

    Args:
        embeddings: unit-norm, (N, D), N at least ``batch_size``.
        logit_scale: scalar.
        batch_size: B, the same at all sites.
        groups: (N,), equal for studies with the same text; None if all differ.

    Source: f_i of arXiv:2404.03854, measured on the site's validation split; the released code uses training data.
    """
    studies = len(embeddings.image)
    order = np.random.default_rng(0).permutation(studies)
    starts = range(0, studies, batch_size)
    chunks = [np.take(order, np.arange(start, start + batch_size), mode="wrap") for start in starts]
    scale = logit_scale.detach().cpu()
    numbers = torch.from_numpy(np.arange(studies) if groups is None else groups)
    losses = [info_nce_loss(embeddings.image[c], embeddings.text[c], scale, numbers[c]).item() for c in chunks]
    return float(np.mean(losses))
