"""A cache of report features: a frozen text encoder encodes each report once for all rounds and sites."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from fedaid.models.dual_encoder import DualEncoder


class FrozenTexts:
    """Report features by tokens, for models that share one frozen text encoder.

    Reports are not augmented, so their tokens determine their features. Each report is encoded alone and without
    padding, so its features do not depend on the batch. The cache is in memory: it suits comparisons on small data.
    """

    def __init__(self) -> None:
        self._kept: dict[bytes, Tensor] = {}

    def serve(self, model: DualEncoder) -> DualEncoder:
        """Let the model's text encoder use this cache if it is frozen, and return the model."""
        if "text" in model.frozen_towers:
            encoder = model.encoder("text")
            encode = encoder.forward

            def features(token_ids: Tensor, mask: Tensor) -> Tensor:
                return self._features(token_ids, mask, encode)

            encoder.forward = features
        return model

    @torch.no_grad()
    def _features(self, token_ids: Tensor, mask: Tensor, encode: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """Map token ids (B, T) and mask (B, T), true at real tokens, to features (B, T, F), zeros at padding."""
        found = []
        for row, real in zip(token_ids, mask, strict=True):
            ids = row[real]
            key = ids.numpy().tobytes()
            if key not in self._kept:
                self._kept[key] = encode(ids[None], torch.ones_like(ids, dtype=torch.bool)[None])[0]
            found.append(self._kept[key])
        padded = pad_sequence(found, batch_first=True)
        return torch.nn.functional.pad(padded, (0, 0, 0, mask.shape[1] - padded.shape[1]))
