"""How the features of a tower become one vector: as the encoder was trained, where its folder or its type says so."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fedaid.errors import InputError, require

POOLING, MEAN_OF_TOKENS = "pooling", "mean"
OF_TYPE = {
    "vit": "class",
    "deit": "class",
    "dinov2": "class",
    "dinov2_with_registers": "class",
    "dinov3_vit": "class",
    "clip_vision_model": "class",
    "siglip_vision_model": "attention",
    "clip_text_model": "last",
    "siglip_text_model": "last",
}
"""What a type's own head takes; the other types take the mean."""
PARTS = {
    ("clip_vision_model", "class"): "post_layernorm",
    ("siglip_vision_model", "attention"): "head",
    ("beit", "patches"): "pooler.layernorm",
}
"""The part of a backbone that belongs to its pooling."""
OF_TEXTS = ("mean", "class", "last", "max")
SENTENCE_FILE = "1_Pooling/config.json"
SENTENCE_NAMES = {"cls_token": "class", "mean_tokens": "mean", "max_tokens": "max", "lasttoken": "last"}
"""Names of sentence-transformers."""


def masked_mean(features: Tensor, mask: Tensor | None) -> Tensor:
    """Mean over the real tokens: features (B, T, F), mask (B, T) true at real tokens → (B, F)."""
    if mask is None:
        return features.mean(dim=1)
    kept = torch.where(mask[..., None], features, 0)
    return kept.sum(dim=1) / mask.sum(dim=1, keepdim=True).clamp(min=1)


def last_real(mask: Tensor) -> Tensor:
    """Mask (B, T) → (B, T), true at the last real token of each row; texts are padded on the right."""
    places = torch.arange(mask.shape[1], device=mask.device)
    return places == mask.sum(dim=1, keepdim=True) - 1


def last_token(features: Tensor, mask: Tensor | None) -> Tensor:
    """Features of the last real token, (B, F)."""
    if mask is None:
        return features[:, -1]
    return torch.where(last_real(mask)[..., None], features, 0).sum(dim=1)


def largest(features: Tensor, mask: Tensor | None) -> Tensor:
    """The largest value of each feature over the real tokens, (B, F)."""
    kept = features if mask is None else features.masked_fill(~mask[..., None], torch.finfo(features.dtype).min)
    return kept.amax(dim=1)


KINDS: dict[str, Callable[[Tensor, Tensor | None], Tensor]] = {
    "mean": masked_mean,
    "class": lambda features, _: features[:, 0],
    "last": last_token,
    "max": largest,
    "patches": lambda features, _: features[:, 1:].mean(dim=1),
    "attention": lambda features, _: features,
}


class Pooling(nn.Module):
    """Features (B, T, F) and mask → (B, F).

    Args:
        kind: a key of :data:`KINDS`.
        after: the backbone's layer after it: a norm, or for ``attention`` the attention itself.
    """

    def __init__(self, kind: str = MEAN_OF_TOKENS, after: nn.Module | None = None) -> None:
        super().__init__()
        self.kind = kind
        self.after = after or nn.Identity()

    def forward(self, features: Tensor, mask: Tensor | None = None) -> Tensor:
        """(B, F); padding (mask false) has no effect."""
        pooled: Tensor = self.after(KINDS[self.kind](features, mask))
        return pooled


def check_pooling(kind: object, name: str, *, setting: str, where: str) -> str:
    """The kind, if an encoder of this type can be pooled so.

    Raises:
        InputError: for another kind.
    """
    of_image = ("class", "patches") if name == "beit" else (OF_TYPE.get(name, MEAN_OF_TOKENS),)
    of_text = ("mean", "last") if name == "siglip_text_model" else OF_TEXTS
    known = of_text if setting == "text_encoder" else tuple(dict.fromkeys((MEAN_OF_TOKENS, *of_image)))
    rule, remedy = f"be one of {', '.join(known)} for {name}", f"Correct {POOLING} of {setting}, or leave it out."
    require(kind in known, POOLING, rule, got=repr(kind), where=where, remedy=remedy)
    return str(kind)


def folder_pooling(folder: Path, name: str, options: Mapping[str, Any]) -> str:
    """The pooling that a folder states: by sentence-transformers' file, else by its configuration or its type.

    Args:
        folder: of a local encoder.
        name: its type.
        options: of its configuration.

    Raises:
        InputError: if sentence-transformers' file states what this software does not have.
    """
    if (folder / SENTENCE_FILE).is_file():
        return _of_sentences(folder)
    if name == "modernbert":
        return "mean" if options.get("classifier_pooling") == "mean" else "class"
    if name == "beit":
        return "patches" if options.get("use_mean_pooling", True) else "class"
    headless = name == "siglip_vision_model" and not options.get("vision_use_head", True)
    return MEAN_OF_TOKENS if headless else OF_TYPE.get(name, MEAN_OF_TOKENS)


def _of_sentences(folder: Path) -> str:
    prefix, where = "pooling_mode_", f"$FEDAID_MODELS/{folder.name}/{SENTENCE_FILE}"
    remedy = 'State it beside the encoder: {"name": "local:FOLDER", "pooling": "mean"}.'
    try:
        stated = dict(json.loads((folder / SENTENCE_FILE).read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise InputError(POOLING, "be readable", got="damaged JSON", where=where, remedy=remedy) from error
    single = [str(stated[name]) for name in ("pooling_mode",) if name in stated]
    chosen = single or [key.removeprefix(prefix) for key, on in stated.items() if key.startswith(prefix) and on is True]
    names = SENTENCE_NAMES | {name.split("_")[0].removesuffix("token"): kind for name, kind in SENTENCE_NAMES.items()}
    ok, rule = len(chosen) == 1 and chosen[0] in names, f"be one of {', '.join(SENTENCE_NAMES)}"
    require(ok, POOLING, rule, got=str(chosen), where=where, remedy=remedy)
    return names[chosen[0]]
