"""The towers of a model in open_clip's layout, each converted to a class of transformers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import CLIPTextConfig, CLIPTextModel, CLIPVisionConfig, CLIPVisionModel

from admin.model.towers.downloaded_folder import OPEN_CLIP, DownloadedFolder
from admin.model.towers.library_towers import UNUSABLE
from admin.model.towers.open_clip.bert_in_open_clip import bert_tower
from admin.model.towers.open_clip.open_clip_checkpoint import (
    IMAGE_SIZE,
    OpenClipCheckpoint,
    filled,
    layer_count,
    open_clip_processor,
    read_open_clip,
)
from admin.model.towers.open_clip.siglip_in_open_clip import siglip_image_tower, siglip_text_tower
from admin.model.towers.open_clip.timm_vision import timm_tower
from admin.model.towers.packed_layers import CLIP_LAYER, OPEN_CLIP_LAYER, PackedLayers, patches, quick_gelu
from admin.model.towers.picked_tower import IMAGE, TEXT, PickedTower, without_other
from fedaid.errors import InputError

HEAD_WIDTH, TEXT_HEADS = 64, 8
"""Of a configuration that does not say them, as in open_clip."""
EPSILON = 1e-5
VISION_OPTIONS = ("image_size", "layers", "width", "head_width", "mlp_ratio", "patch_size", "patch_dropout")
TEXT_OPTIONS: tuple[str, ...] = (
    "context_length",
    "vocab_size",
    "width",
    "heads",
    "layers",
    "mlp_ratio",
    "hf_tokenizer_name",
)
TEXT_OPTIONS += ("tokenizer_kwargs", "text_mask", "proj_bias")
AROUND_IMAGE = {
    "class_embedding": "embeddings.class_embedding",
    "positional_embedding": "embeddings.position_embedding.weight",
    "conv1.weight": "embeddings.patch_embedding.weight",
    "ln_pre.weight": "pre_layrnorm.weight",
    "ln_pre.bias": "pre_layrnorm.bias",
    "ln_post.weight": "post_layernorm.weight",
    "ln_post.bias": "post_layernorm.bias",
}
AROUND_TEXT = {
    "token_embedding.weight": "embeddings.token_embedding.weight",
    "positional_embedding": "embeddings.position_embedding.weight",
    "ln_final.weight": "final_layer_norm.weight",
    "ln_final.bias": "final_layer_norm.bias",
}
"""open_clip's names of the tensors around the layers, and those of transformers."""


def open_clip_towers(folder: DownloadedFolder, kind: str | None) -> list[PickedTower]:
    """The towers of a folder in open_clip's layout.

    Args:
        folder: of the model.
        kind: the only tower to read, ``image`` or ``text``; None for both.

    Raises:
        InputError: for a tower that this import does not know.
    """
    checkpoint = read_open_clip(folder)
    of_image, of_text = checkpoint.model["vision_cfg"], checkpoint.model["text_cfg"]
    name = str(of_image.get("timm_model_name") or "")
    image = siglip_image_tower if "siglip" in name else timm_tower if name else image_tower_of
    text = siglip_text_tower if of_text.get("no_causal_mask") else text_tower_of
    text = bert_tower if "hf_model_name" in of_text else text
    towers = [whole_tower(checkpoint, make) for name, make in ((IMAGE, image), (TEXT, text)) if kind in (None, name)]
    return [without_other(tower) for tower in towers] if kind else towers


def whole_tower(checkpoint: OpenClipCheckpoint, make: Callable[[OpenClipCheckpoint], PickedTower]) -> PickedTower:
    """The tower that ``make`` reads.

    Raises:
        InputError: also for tensors of other shapes than a tower has.
    """
    try:
        return make(checkpoint)
    except InputError:
        raise
    except UNUSABLE as error:
        got = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        rule, remedy = "have weights of the shapes that its towers need", "Download it again."
        raise checkpoint.folder.refusal(rule, got=got, remedy=remedy) from error


def own_layers(
    checkpoint: OpenClipCheckpoint, tensors: Mapping[str, Tensor], *, heads: int, causal: bool = False
) -> PackedLayers:
    """The layers of open_clip's own transformers."""
    names = OPEN_CLIP_LAYER
    return PackedLayers(
        tensors=tensors,
        names=names,
        count=layer_count(tensors, names.layer),
        heads=heads,
        activation=quick_gelu if checkpoint.model.get("quick_gelu") else functional.gelu,
        epsilon=EPSILON,
        causal=causal,
    )


def sizes(checkpoint: OpenClipCheckpoint, layers: PackedLayers, width: int) -> dict[str, Any]:
    """Options of both towers' configurations.

    Raises:
        InputError: if the width is no multiple of the number of heads.
    """
    rule, got = "have a width that its heads divide", f"a width of {width} and {layers.heads} heads"
    ok = layers.heads > 0 and width % layers.heads == 0
    checkpoint.folder.require(ok, rule, got=got, remedy="Download it again.", name=OPEN_CLIP)
    return {
        "hidden_size": width,
        "intermediate_size": len(layers.tensors[layers.names.layer.format(0) + layers.names.widening + "bias"]),
        "num_hidden_layers": layers.count,
        "num_attention_heads": layers.heads,
        "hidden_act": "quick_gelu" if checkpoint.model.get("quick_gelu") else "gelu",
        "layer_norm_eps": EPSILON,
    }


def image_tower_of(checkpoint: OpenClipCheckpoint) -> PickedTower:
    """open_clip's own ViT as ``CLIPVisionModel``."""
    given = checkpoint.options("vision_cfg", known=VISION_OPTIONS)
    rule, remedy = "have a ViT as its image tower", "Choose a ViT."
    checkpoint.folder.require(not isinstance(given.get("layers"), list), rule, got="a ResNet", remedy=remedy)
    tensors = {name: tensor for name, tensor in checkpoint.below("visual.").items() if name != "proj"}
    width = tensors["class_embedding"].shape[-1] if "class_embedding" in tensors else 0
    heads = width // checkpoint.whole_number("vision_cfg", "head_width", HEAD_WIDTH)
    layers = own_layers(checkpoint, tensors, heads=heads)
    checkpoint.require_names(tensors, {*AROUND_IMAGE, *layers.used()}, tower=IMAGE)
    image_size = checkpoint.whole_number("vision_cfg", "image_size", IMAGE_SIZE)
    config = CLIPVisionConfig(
        **sizes(checkpoint, layers, width),
        num_channels=tensors["conv1.weight"].shape[1],
        image_size=image_size,
        patch_size=tensors["conv1.weight"].shape[-1],
    )
    module = filled(CLIPVisionModel(config), renamed(tensors, AROUND_IMAGE) | layers.split(CLIP_LAYER), checkpoint)

    def reference(pixels: Tensor) -> Tensor:
        tokens = patches(pixels, tensors["conv1.weight"])
        first = tensors["class_embedding"].expand(len(tokens), 1, -1)
        return layers(layers.norm(torch.cat([first, tokens], 1) + tensors["positional_embedding"], "ln_pre."))

    processor = open_clip_processor(checkpoint.folder, image_size)
    return packed(checkpoint, IMAGE, module=module, reference=reference, processor=processor)


def text_tower_of(checkpoint: OpenClipCheckpoint) -> PickedTower:
    """open_clip's own text transformer as ``CLIPTextModel``."""
    checkpoint.require_plain_text(checkpoint.options("text_cfg", known=TEXT_OPTIONS))
    apart = any(name.startswith("text.") for name in checkpoint.tensors)
    heads_of_pair = ("text_projection", "logit_scale", "logit_bias", "attn_mask")
    found = checkpoint.below("text." if apart else "")
    tensors = {name: own for name, own in found.items() if not name.startswith(("visual.", *heads_of_pair))}
    heads = checkpoint.whole_number("text_cfg", "heads", TEXT_HEADS)
    layers = own_layers(checkpoint, tensors, heads=heads, causal=True)
    checkpoint.require_names(tensors, {*AROUND_TEXT, *layers.used()}, tower=TEXT)
    size, width = tensors["token_embedding.weight"].shape
    config = CLIPTextConfig(
        **sizes(checkpoint, layers, width),
        vocab_size=size,
        max_position_embeddings=len(tensors["positional_embedding"]),
        bos_token_id=size - 2,
        eos_token_id=size - 1,
        pad_token_id=0,
    )
    module = filled(CLIPTextModel(config), renamed(tensors, AROUND_TEXT) | layers.split(CLIP_LAYER), checkpoint)

    def reference(token_ids: Tensor, mask: Tensor) -> Tensor:
        embedded = tensors["token_embedding.weight"][token_ids]
        return layers.norm(layers(embedded + tensors["positional_embedding"][: token_ids.shape[1]]), "ln_final.")

    return packed(checkpoint, TEXT, module=module, reference=reference)


def renamed(tensors: dict[str, Tensor], names: dict[str, str]) -> dict[str, Tensor]:
    """These tensors by their new names."""
    return {new: tensors[old].clone() for old, new in names.items()}


def packed(checkpoint: OpenClipCheckpoint, kind: str, **facts: Any) -> PickedTower:
    """A tower whose reference is the computation with the tensors as open_clip names them."""
    against = "open_clip's layers, computed from the original tensors"
    return PickedTower(kind=kind, against=against, files=checkpoint.files, left=checkpoint.left(), **facts)
