"""SigLIP in open_clip's layout: a ViT of timm with an attention pool, and a text transformer without causal mask."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional
from transformers import SiglipTextConfig, SiglipTextModel, SiglipVisionConfig, SiglipVisionModel

from admin.model.towers.downloaded_folder import OPEN_CLIP, TOKENIZER_SETTINGS
from admin.model.towers.open_clip.open_clip_checkpoint import (
    IMAGE_SIZE,
    OpenClipCheckpoint,
    filled,
    layer_count,
    open_clip_processor,
)
from admin.model.towers.open_clip.timm_vision import OPTIONS as VISION_OPTIONS
from admin.model.towers.packed_layers import CLIP_LAYER, ENDS, OPEN_CLIP_LAYER, TIMM_LAYER, PackedLayers, patches
from admin.model.towers.picked_tower import ASSUMED, IMAGE, TEXT, PickedTower

HEADS = {
    **{f"vit_base_patch16_siglip_{size}": 12 for size in (224, 256, 384, 512)},
    **{f"vit_large_patch16_siglip_{size}": 16 for size in (256, 384)},
    **{f"vit_so400m_patch14_siglip_{size}": 16 for size in (224, 384)},
}
"""timm's SigLIPs whose activation is the exact GELU → number of heads of attention, which the file does not say."""
EPSILON = 1e-6
TEXT_OPTIONS = (
    *("context_length", "vocab_size", "hf_tokenizer_name", "tokenizer_kwargs", "width", "heads", "layers", "mlp_ratio"),
    *("no_causal_mask", "proj_bias", "pool_type", "norm_kwargs", "act_kwargs"),
)
ACTIVATIONS = {"none": "gelu", "tanh": "gelu_pytorch_tanh"}
AROUND_IMAGE = {
    "pos_embed": "embeddings.position_embedding.weight",
    "patch_embed.proj.weight": "embeddings.patch_embedding.weight",
    "patch_embed.proj.bias": "embeddings.patch_embedding.bias",
    "norm.weight": "post_layernorm.weight",
    "norm.bias": "post_layernorm.bias",
}
POOL = {"proj.": "attention.out_proj.", "norm.": "layernorm.", "mlp.fc1.": "mlp.fc1.", "mlp.fc2.": "mlp.fc2."}
"""Parts of timm's attention pool, and those of the head in transformers."""
AROUND_TEXT = {
    "token_embedding.weight": "embeddings.token_embedding.weight",
    "positional_embedding": "embeddings.position_embedding.weight",
    "ln_final.weight": "final_layer_norm.weight",
    "ln_final.bias": "final_layer_norm.bias",
    "text_projection.weight": "head.weight",
    "text_projection.bias": "head.bias",
}
CLEANING = {"clean": "canonicalize"}
"""Lower case, and no punctuation."""
CLEANING_NOTE = "open_clip also repairs HTML and wrong encodings before the tokenizer; this tower's tokenizer does not"


def siglip_image_tower(checkpoint: OpenClipCheckpoint) -> PickedTower:
    """timm's ViT with its attention pool as ``SiglipVisionModel``.

    Raises:
        InputError: for another architecture of timm, or other tensors.
    """
    given, tensors = checkpoint.options("vision_cfg", known=VISION_OPTIONS), checkpoint.below("visual.trunk.")
    name = str(given["timm_model_name"])
    rule, remedy = "have a SigLIP of timm whose activation is known", f"Choose one of {', '.join(HEADS)}."
    checkpoint.folder.require(name in HEADS, rule, got=name, remedy=remedy)
    layers = siglip_layers(tensors, image=True, heads=HEADS[name])
    pool = {f"attn_pool.{part}{end}" for part in ("q.", "kv.", *POOL) for end in ENDS} | {"attn_pool.latent"}
    checkpoint.require_names(tensors, {*AROUND_IMAGE, *pool, *layers.used()}, tower=IMAGE)
    image_size = checkpoint.whole_number("vision_cfg", "image_size", IMAGE_SIZE)
    width, channels, patch, _ = tensors["patch_embed.proj.weight"].shape
    config = SiglipVisionConfig(
        **sizes(layers, width), num_channels=channels, patch_size=patch, image_size=image_size, hidden_act="gelu"
    )
    state = {new: tensors[old].clone() for old, new in AROUND_IMAGE.items()} | layers.split(CLIP_LAYER)
    state[AROUND_IMAGE["pos_embed"]] = tensors["pos_embed"][0].clone()
    module = filled(SiglipVisionModel(config), state | pooling_head(tensors), checkpoint)

    def reference(pixels: Tensor) -> Tensor:
        tokens = patches(pixels, tensors["patch_embed.proj.weight"], tensors["patch_embed.proj.bias"])
        return layers.norm(layers(tokens + tensors["pos_embed"]), "norm.")

    return PickedTower(
        kind=IMAGE,
        module=module,
        reference=reference,
        against=f"timm's layers, computed from the original tensors {ASSUMED}",
        files=checkpoint.files,
        left=checkpoint.left(),
        processor=open_clip_processor(checkpoint.folder, image_size),
        notes=(f"{layers.heads} heads, as in timm's {name}",),
    )


def siglip_layers(tensors: Mapping[str, Tensor], *, image: bool, heads: int, activation: str = "gelu") -> PackedLayers:
    """The layers of one tower; neither has a causal mask."""
    names = TIMM_LAYER if image else OPEN_CLIP_LAYER
    return PackedLayers(
        tensors=tensors,
        names=names,
        count=layer_count(tensors, names.layer),
        heads=heads,
        activation=lambda values: functional.gelu(values, approximate="none" if activation == "gelu" else "tanh"),
        epsilon=EPSILON,
    )


def sizes(layers: PackedLayers, width: int) -> dict[str, Any]:
    """Options of both towers' configurations."""
    return {
        "hidden_size": width,
        "intermediate_size": len(layers.tensors[layers.names.layer.format(0) + layers.names.widening + "bias"]),
        "num_hidden_layers": layers.count,
        "num_attention_heads": layers.heads,
        "layer_norm_eps": EPSILON,
        "attention_dropout": 0.0,
    }


def pooling_head(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """timm's attention pool by the names of transformers, whose query, key and value lie in one matrix."""
    head = {"head.probe": tensors["attn_pool.latent"].clone()}
    for end in ENDS:
        apart = [tensors[f"attn_pool.{part}.{end}"] for part in ("q", "kv")]
        head[f"head.attention.in_proj_{end}"] = torch.cat(apart)
        head |= {f"head.{new}{end}": tensors[f"attn_pool.{old}{end}"].clone() for old, new in POOL.items()}
    return head


def siglip_text_tower(checkpoint: OpenClipCheckpoint) -> PickedTower:
    """open_clip's text transformer of SigLIP as ``SiglipTextModel``; its text is padded to the last position.

    Raises:
        InputError: for another pooling, norm or activation, or without a padding token.
    """
    given = checkpoint.options("text_cfg", known=TEXT_OPTIONS)
    tensors, activation = checkpoint.below("text."), text_activation(checkpoint, given)
    heads = checkpoint.whole_number("text_cfg", "heads", 8)
    layers = siglip_layers(tensors, image=False, heads=heads, activation=activation)
    checkpoint.require_names(tensors, {*AROUND_TEXT, *layers.used()}, tower=TEXT)
    (size, width), positions = tensors["token_embedding.weight"].shape, len(tensors["positional_embedding"])
    config = SiglipTextConfig(
        **sizes(layers, width),
        vocab_size=size,
        max_position_embeddings=positions,
        projection_size=len(tensors["text_projection.bias"]),
        hidden_act=activation,
        pad_token_id=padding_id(checkpoint),
    )
    state = {new: tensors[old].clone() for old, new in AROUND_TEXT.items()} | layers.split(CLIP_LAYER)

    def reference(token_ids: Tensor, mask: Tensor) -> Tensor:
        padded = functional.pad(token_ids.masked_fill(~mask, config.pad_token_id), (0, positions - mask.shape[1]),
                                value=config.pad_token_id)  # fmt: skip
        embedded = tensors["token_embedding.weight"][padded] + tensors["positional_embedding"]
        hidden = layers.norm(layers(embedded), "ln_final.")
        rows, lengths = torch.arange(len(mask)), mask.sum(dim=1)
        hidden[rows, lengths - 1] = hidden[:, -1]
        return hidden[:, : mask.shape[1]]

    return PickedTower(
        kind=TEXT,
        module=filled(SiglipTextModel(config), state, checkpoint),
        reference=reference,
        against="open_clip's layers, computed from the original tensors",
        files=checkpoint.files,
        left=checkpoint.left(),
        canonical=True,
        notes=(CLEANING_NOTE,),
    )


def text_activation(checkpoint: OpenClipCheckpoint, given: Mapping[str, Any]) -> str:
    """The activation of the text tower.

    Raises:
        InputError: for another pooling, norm or activation than a SigLIP has, or texts that are not cleaned as its are.
    """
    norm, act = given.get("norm_kwargs") or {}, str((given.get("act_kwargs") or {}).get("approximate", "none"))
    rule, remedy = "be a SigLIP's: its last token pooled, norms with 1e-6, an exact or a tanh GELU", "Choose another."
    known = given.get("pool_type") == "last" and norm == {"eps": EPSILON} and act in ACTIVATIONS
    got = {name: given.get(name) for name in ("pool_type", "norm_kwargs", "act_kwargs")}
    checkpoint.folder.require(known, rule, got=got, remedy=remedy, name="text_cfg")
    rule, got = f"state tokenizer_kwargs {CLEANING}", {"tokenizer_kwargs": given.get("tokenizer_kwargs")}
    remedy = "Import the image tower alone: --tower image."
    checkpoint.folder.require(given.get("tokenizer_kwargs") == CLEANING, rule, got=got, remedy=remedy, name="text_cfg")
    return ACTIVATIONS[act]


def padding_id(checkpoint: OpenClipCheckpoint) -> int:
    """The id of the token that the folder's tokenizer pads with.

    Raises:
        InputError: if ``tokenizer_config.json`` names none, or one that ``tokenizer.json`` does not have.
    """
    folder, file = checkpoint.folder, checkpoint.folder.path / "tokenizer.json"
    stated = folder.settings(TOKENIZER_SETTINGS).get("pad_token")
    token = stated.get("content") if isinstance(stated, Mapping) else stated
    known: dict[str, int] = {}
    if file.is_file():
        known = {entry["content"]: entry["id"] for entry in folder.settings(file.name).get("added_tokens", [])}
        known |= Tokenizer.from_str(json.dumps(folder.settings(file.name))).get_vocab()
    rule, remedy = "have a padding token in tokenizer_config.json and tokenizer.json", "Download both, too."
    folder.require(token in known, rule, got=repr(token), remedy=remedy, name=OPEN_CLIP)
    return known[str(token)]
