"""A text encoder that never learns reads every report once: what it made of it is kept for all rounds and sites."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from fedaid.models.dual_encoder import DualEncoder


class FrozenTexts:
    """Features of reports by their tokens, of models whose frozen text encoder is the same.

    Reports are not augmented, so nothing else decides their features. Each is encoded alone, without padding, so that
    which reports shared a batch when it was first seen does not show. Kept in memory: for a comparison on small data.
    """

    def __init__(self) -> None:
        self._kept: dict[bytes, Tensor] = {}

    def serve(self, model: DualEncoder) -> DualEncoder:
        """The model, which from now on asks here before it encodes a text; as it was if its text encoder learns."""
        if "text" in model.frozen_towers:
            encoder = model.encoder("text")
            encode = encoder.forward

            def features(token_ids: Tensor, mask: Tensor) -> Tensor:
                return self._features(token_ids, mask, encode)

            encoder.forward = features
        return model

    @torch.no_grad()
    def _features(self, token_ids: Tensor, mask: Tensor, encode: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """Token ids (B, T) and mask (B, T), true at real tokens → (B, T, F), zeros at padding."""
        found = []
        for row, real in zip(token_ids, mask, strict=True):
            ids = row[real]
            key = ids.numpy().tobytes()
            if key not in self._kept:
                self._kept[key] = encode(ids[None], torch.ones_like(ids, dtype=torch.bool)[None])[0]
            found.append(self._kept[key])
        padded = pad_sequence(found, batch_first=True)
        return torch.nn.functional.pad(padded, (0, 0, 0, mask.shape[1] - padded.shape[1]))
