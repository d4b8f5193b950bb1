"""Tiny fakes of folders from a model hub, in the layout of transformers, written with its own classes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from transformers import (
    BertConfig,
    BertForPreTraining,
    CLIPConfig,
    CLIPModel,
    SiglipConfig,
    SiglipModel,
    ViTConfig,
    ViTForImageClassification,
    ViTMAEConfig,
    ViTMAEForPreTraining,
)

from tests.models.published_encoders import CLIP, HALF, IMAGENET, Write, byte_pairs, unigram, words

LAYERS = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
PICTURES = LAYERS | {"image_size": 32, "patch_size": 8}
DECODER = {
    "decoder_hidden_size": 8,
    "decoder_num_hidden_layers": 1,
    "decoder_num_attention_heads": 2,
    "decoder_intermediate_size": 8,
}


def bert(folder: Path, *, alone: bool = False, **options: Any) -> Any:
    """A BERT with its heads, lower-casing; ``alone``: with ``vocab.txt`` only."""
    tokens = tokenizer(folder, words(cased=False, alone=alone))
    return saved(BertForPreTraining(BertConfig(**LAYERS | {"vocab_size": tokens} | options)), folder)


def clip(folder: Path) -> Any:
    """CLIP, with tokenizer and image processor."""
    texts = LAYERS | {
        "vocab_size": tokenizer(folder, byte_pairs(ends_last=True)),
        "max_position_embeddings": 40,
        "eos_token_id": 2,
    }
    processor(folder, CLIP)
    return saved(CLIPModel(CLIPConfig(text_config=texts, vision_config=PICTURES)), folder)


def siglip(folder: Path) -> Any:
    """SigLIP, with tokenizer and image processor."""
    texts = LAYERS | {"vocab_size": tokenizer(folder, unigram(ends=False))}
    processor(folder, HALF)
    return saved(SiglipModel(SiglipConfig(text_config=texts, vision_config=PICTURES)), folder)


def masked_autoencoder(folder: Path) -> Any:
    """A masked autoencoder with its decoder."""
    processor(folder, IMAGENET)
    return saved(ViTMAEForPreTraining(ViTMAEConfig(**PICTURES | DECODER)), folder)


def classifier(folder: Path) -> Any:
    """A ViT with a classification head and no pooler."""
    processor(folder, HALF)
    return saved(ViTForImageClassification(ViTConfig(**PICTURES)), folder)


def saved(model: Any, folder: Path) -> Any:
    """Write a model whose biases and norms are not those of a new one, so that a lost one is seen."""
    torch.manual_seed(5)
    for name, parameter in model.named_parameters():
        if name.endswith("bias") or "norm" in name:
            parameter.data.add_(torch.randn_like(parameter) * 0.1)
    folder.mkdir(exist_ok=True)
    model.eval().save_pretrained(folder)
    return model


def tokenizer(folder: Path, write: Write) -> int:
    """Write a tokenizer; returns its number of tokens."""
    folder.mkdir(exist_ok=True)
    return write(folder)


def processor(folder: Path, scale: tuple[list[float], list[float]]) -> None:
    """Write an image processor."""
    folder.mkdir(exist_ok=True)
    settings = {"image_mean": scale[0], "image_std": scale[1], "rescale_factor": 1 / 255}
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))


def pickled(folder: Path, *, shards: int = 1) -> None:
    """Replace the weights of a folder by pickled ones, as older folders have them."""
    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    if shards == 1:
        torch.save(state, folder / "pytorch_model.bin")
        return
    names, files = sorted(state), {}
    for number in range(shards):
        file = f"pytorch_model-{number + 1:05d}-of-{shards:05d}.bin"
        own = names[number::shards]
        torch.save({name: state[name] for name in own}, folder / file)
        files |= dict.fromkeys(own, file)
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": files}))
