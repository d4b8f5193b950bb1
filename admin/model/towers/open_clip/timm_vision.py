"""The image tower of timm in a model of open_clip, such as BiomedCLIP's, as ``ViTModel`` of transformers."""

from __future__ import annotations

import re

import torch
from torch import Tensor
from torch.nn import functional
from transformers import ViTConfig, ViTModel

from admin.model.towers.open_clip.open_clip_checkpoint import (
    IMAGE_SIZE,
    OpenClipCheckpoint,
    layer_count,
    open_clip_processor,
)
from admin.model.towers.packed_layers import TIMM_LAYER, VIT_LAYER, PackedLayers, patches
from admin.model.towers.picked_tower import ASSUMED, IMAGE, PickedTower

KNOWN = re.compile(r"vit_(tiny|small|base|large)_patch\d+_\d+(_in21k)?(\.\w+)?")
"""timm's ViTs that are nothing but ViTs; each of their heads has 64 numbers."""
HEAD_WIDTH = 64
EPSILON = 1e-6
OPTIONS: tuple[str, ...] = (
    "timm_model_name",
    "timm_model_pretrained",
    "timm_pool",
    "timm_proj",
    "timm_proj_bias",
    "timm_drop",
)
OPTIONS += ("timm_drop_path", "image_size")
AROUND = {
    "cls_token": "embeddings.cls_token",
    "pos_embed": "embeddings.position_embeddings",
    "patch_embed.proj.weight": "embeddings.patch_embeddings.projection.weight",
    "patch_embed.proj.bias": "embeddings.patch_embeddings.projection.bias",
    "norm.weight": "layernorm.weight",
    "norm.bias": "layernorm.bias",
}
"""timm's names of the tensors around the layers, and those of transformers."""


def timm_tower(checkpoint: OpenClipCheckpoint) -> PickedTower:
    """timm's ViT as ``ViTModel``.

    Raises:
        InputError: for another architecture of timm.
    """
    given, tensors = checkpoint.options("vision_cfg", known=OPTIONS), checkpoint.below("visual.trunk.")
    rule, remedy = (
        "have a plain ViT of timm as its image tower",
        "Choose a model with vit_base_patch16_224 or the like.",
    )
    name = str(given["timm_model_name"])
    checkpoint.folder.require(bool(KNOWN.fullmatch(name)), rule, got=name, remedy=remedy)
    layers = timm_layers(checkpoint, tensors)
    checkpoint.require_names(tensors, {*AROUND, *layers.used()}, tower=IMAGE)
    image_size = checkpoint.whole_number("vision_cfg", "image_size", IMAGE_SIZE)
    module = ViTModel(timm_config(tensors, layers, image_size), add_pooling_layer=False).eval()
    rule, got = "have positions for its image size", f"{tensors['pos_embed'].shape[1]} positions"
    fits = module.embeddings.position_embeddings.shape == tensors["pos_embed"].shape
    checkpoint.folder.require(fits, rule, got=got, remedy="Download it again.")
    state = {new: tensors[old].clone() for old, new in AROUND.items()} | layers.split(VIT_LAYER)
    module.load_state_dict(state, strict=True)

    def reference(pixels: Tensor) -> Tensor:
        tokens = patches(pixels, tensors["patch_embed.proj.weight"], tensors["patch_embed.proj.bias"])
        hidden = torch.cat([tensors["cls_token"].expand(len(tokens), -1, -1), tokens], 1) + tensors["pos_embed"]
        return layers.norm(layers(hidden), "norm.")

    return PickedTower(
        kind=IMAGE,
        module=module,
        reference=reference,
        against=f"timm's layers, computed from the original tensors {ASSUMED}",
        files=checkpoint.files,
        left=checkpoint.left(),
        processor=open_clip_processor(checkpoint.folder, image_size),
        notes=(f"{layers.heads} heads of {HEAD_WIDTH}, as in timm's {name}",),
    )


def timm_layers(checkpoint: OpenClipCheckpoint, tensors: dict[str, Tensor]) -> PackedLayers:
    """The layers; timm's checkpoints do not say how many heads they have, but its names do."""
    width = tensors["cls_token"].shape[-1] if "cls_token" in tensors else 0
    rule, got = f"have a class token, and heads of {HEAD_WIDTH}", f"a width of {width}"
    ok = width > 0 and width % HEAD_WIDTH == 0
    checkpoint.folder.require(ok, rule, got=got, remedy="Choose another model.")
    return PackedLayers(
        tensors=tensors,
        names=TIMM_LAYER,
        count=layer_count(tensors, TIMM_LAYER.layer),
        heads=width // HEAD_WIDTH,
        activation=functional.gelu,
        epsilon=EPSILON,
    )


def timm_config(tensors: dict[str, Tensor], layers: PackedLayers, image_size: int) -> ViTConfig:
    """The configuration that the shapes of the tensors say."""
    width, channels, patch, _ = tensors["patch_embed.proj.weight"].shape
    return ViTConfig(
        hidden_size=width,
        intermediate_size=len(tensors[TIMM_LAYER.layer.format(0) + "mlp.fc1.bias"]),
        num_hidden_layers=layers.count,
        num_attention_heads=layers.heads,
        num_channels=channels,
        image_size=image_size,
        patch_size=patch,
        layer_norm_eps=EPSILON,
        hidden_act="gelu",
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        qkv_bias=True,
    )
