"""One tower of a downloaded model, before it is written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from fedaid.models.folder.backbone_weights import MASK_TOKEN

IMAGE, TEXT = "image", "text"
ASSUMED = "(with the same assumed number of heads and epsilon)"
"""Said of a reference that cannot show a wrong assumption."""


@dataclass(frozen=True, kw_only=True)
class PickedTower:
    """One tower.

    Attributes:
        kind: ``image`` or ``text``.
        module: writes its configuration and its weights with ``save_pretrained(folder)``, as models of transformers do.
        reference: the tower of the original model: pixels (B, C, H, W), or token ids and mask (B, T), to its last
            hidden state (B, T, F).
        against: what ``reference`` is, in words.
        files: that the weights came from.
        left: parts of the checkpoint that are not in this tower.
        processor: the content of ``preprocessor_config.json``.
        pooling: how the layout pools a text, as sentence-transformers name it; empty if only the type says so.
        canonical: whether a text is lower-cased and loses its punctuation before the tokenizer.
        notes: what a person should know beside the facts.
    """

    kind: str
    module: Any
    reference: Callable[..., Tensor]
    against: str
    files: tuple[str, ...]
    left: tuple[str, ...] = ()
    processor: Mapping[str, Any] | None = None
    pooling: str = ""
    canonical: bool = False
    notes: tuple[str, ...] = ()


def without_other(tower: PickedTower) -> PickedTower:
    """One tower of a pair, with the other tower among the parts that are left out."""
    return replace(tower, left=(*tower.left, f"{TEXT if tower.kind == IMAGE else IMAGE} tower"))


def parts_of(names: Collection[str]) -> tuple[str, ...]:
    """The parts that tensors of these names belong to: the first word of each name, or the encoder's mask token."""
    masks = {name for name in names if name.endswith(f"embeddings.{MASK_TOKEN}")}
    return tuple(sorted({MASK_TOKEN if name in masks else name.split(".")[0] for name in names}))
