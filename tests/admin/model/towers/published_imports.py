"""Published models that a job loads after an import, as tiny fakes of the same layout."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from safetensors.torch import load_file

from tests.admin.model.towers import dense_net_download, downloads, open_clip_downloads, residual_net_download
from tests.admin.model.towers.imported import REPORT
from tests.admin.model.towers.siglip_download import siglip_of_open_clip
from tests.models.published_encoders import CLIP, HALF, IMAGENET

Scale = tuple[list[float], list[float]]
LAYER = re.compile(r"\.(norm|conv)([12])\.")
LAST, ADDED, NOTHING = "last layer", "added block", "nothing"


@dataclass(frozen=True, kw_only=True)
class Imported:
    """One published model.

    Attributes:
        name: on the hub.
        layout: its ``model_type``, or its library.
        write: writes the fake; returns the original image and text towers as functions, None for a tower it lacks.
        scale: mean and deviation of its pixels.
        image: what becomes the alignment module of its image tower; empty without one.
        text: the same of its text tower.
        pooling: of its image and its text tower.
        refused: a part of the message that it must give; empty if it loads.
        cleaned: what its library makes of the report before the tokenizer.
    """

    name: str
    layout: str
    write: Callable[[Path], tuple[Any, Any]]
    scale: Scale = CLIP
    image: str = ""
    text: str = ""
    pooling: str = ""
    refused: str = ""
    cleaned: str = REPORT

    @property
    def row(self) -> str:
        """Its row in docs/model.md."""
        towers = {"image": self.image, "text": self.text}
        parts = [f"{kind}: {part}" if all(towers.values()) else part for kind, part in towers.items() if part]
        answer = f"refused: {self.refused}" if self.refused else "loads after import"
        return f"| {self.name} | {self.layout} | {answer} | {', '.join(parts)} | {self.pooling} |"


def pickled_bert(folder: Path) -> tuple[Any, Any]:
    """BERT with ``pytorch_model.bin`` and ``vocab.txt``."""
    original = downloads.bert(folder, alone=True)
    downloads.pickled(folder)
    return None, original.bert


def pair(write: Callable[[Path], Any]) -> Callable[[Path], tuple[Any, Any]]:
    """CLIP or SigLIP of transformers."""

    def written(folder: Path) -> tuple[Any, Any]:
        original = write(folder)
        return original.vision_model, original.text_model

    return written


def open_clip(write: Callable[[Path], SimpleNamespace]) -> Callable[[Path], tuple[Any, Any]]:
    """A model of open_clip."""

    def written(folder: Path) -> tuple[Any, Any]:
        original = write(folder)
        return original.vision, original.text

    return written


def small_activation(folder: Path) -> tuple[Any, Any]:
    """A SigLIP of timm whose activation its name does not say."""
    siglip_of_open_clip(folder, timm_model_name="vit_base_patch32_siglip_256")
    return None, None


def torchvision(*, bottleneck: bool) -> Callable[[Path], tuple[Any, Any]]:
    """A ResNet of torchvision, with the scale of its training beside it."""

    def written(folder: Path) -> tuple[Any, Any]:
        features = residual_net_download.download(folder, bottleneck=bottleneck)
        downloads.processor(folder, IMAGENET)
        return lambda pixel_values: SimpleNamespace(last_hidden_state=features(pixel_values).flatten(2).mT), None

    return written


def chex_net(folder: Path) -> tuple[Any, Any]:
    """CheXNet: torchvision's DenseNet121 with three channels, inside another module, saved while training."""
    features = dense_net_download.download(folder, channels=3, marked=False)
    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    old = {LAYER.sub(r".\1.\2.", name): tensor for name, tensor in state.items()}
    inside = {f"module.densenet121.{name}": tensor for name, tensor in old.items()}
    torch.save({"state_dict": inside, "epoch": 3}, folder / "model.pth.tar")
    downloads.processor(folder, IMAGENET)
    return lambda pixel_values: SimpleNamespace(last_hidden_state=features(pixel_values).flatten(2).mT), None


def eva(folder: Path) -> tuple[Any, Any]:
    """A model of timm's own layout, here an EVA-02."""
    folder.mkdir()
    torch.save({"blocks.0.attn.q_proj.weight": torch.ones(2, 2)}, folder / "pytorch_model.bin")
    (folder / "config.json").write_text(json.dumps({"architecture": "eva02_base_patch14_224"}))
    return None, None


def masked_autoencoder(folder: Path) -> tuple[Any, Any]:
    """The encoder of a masked autoencoder, which masks nothing here."""
    encoder = downloads.masked_autoencoder(folder).vit
    encoder.config.mask_ratio = 0.0
    return lambda pixel_values: encoder(pixel_values, noise=torch.arange(16).expand(2, -1).float()), None


def x_ray_dense_net(folder: Path) -> tuple[Any, Any]:
    """torchxrayvision's DenseNet121."""
    features = dense_net_download.download(folder)
    return lambda pixel_values: SimpleNamespace(last_hidden_state=features(pixel_values).flatten(2).mT), None


IMPORTED = (
    Imported(
        name="microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract-fulltext",
        layout="`bert`, pickled",
        write=pickled_bert,
        text=LAST,
        pooling="mean",
    ),
    Imported(
        name="openai/clip-vit-base-patch16",
        layout="`clip`",
        write=pair(downloads.clip),
        image=LAST,
        text=NOTHING,
        pooling="image: class, text: last",
    ),
    Imported(
        name="google/siglip-base-patch16-256",
        layout="`siglip`",
        write=pair(downloads.siglip),
        scale=HALF,
        image=LAST,
        text=NOTHING,
        pooling="image: attention, text: last",
    ),
    Imported(
        name="microsoft/BiomedCLIP-PubMedBERT_256-vit_base_patch16_224",
        layout="open_clip, timm, `bert`",
        write=open_clip(open_clip_downloads.biomed_clip),
        image=LAST,
        text=LAST,
        pooling="image: class, text: class",
    ),
    Imported(
        name="laion/CLIP-ViT-B-32-laion2B-s34B-b79K, its open_clip files",
        layout="open_clip",
        write=open_clip(lambda folder: open_clip_downloads.own_pair(folder, quick=False)),
        image=LAST,
        text=NOTHING,
        pooling="image: class, text: last",
    ),
    Imported(
        name="facebook/vit-mae-base",
        layout="`vit_mae`",
        write=masked_autoencoder,
        scale=IMAGENET,
        image=LAST,
        pooling="class",
    ),
    Imported(
        name="torchxrayvision/densenet121-res224-all",
        layout="torchxrayvision",
        write=x_ray_dense_net,
        scale=([0.5], [1 / 2048]),
        image=ADDED,
        pooling="mean",
    ),
    Imported(
        name="google/medsiglip-448",
        layout="`siglip`",
        write=pair(downloads.siglip),
        scale=HALF,
        image=LAST,
        text=NOTHING,
        pooling="image: attention, text: last",
    ),
    Imported(
        name="timm/ViT-B-16-SigLIP",
        layout="open_clip, timm",
        write=open_clip(siglip_of_open_clip),
        image=LAST,
        text=NOTHING,
        pooling="image: attention, text: last",
        cleaned="the heart is enlarged no pleural effusion",
    ),
    Imported(
        name="timm/ViT-B-16-SigLIP2, its open_clip files",
        layout="open_clip, timm",
        write=open_clip(lambda folder: siglip_of_open_clip(folder, tanh=True)),
        image=LAST,
        text=NOTHING,
        pooling="image: attention, text: last",
        cleaned="the heart is enlarged no pleural effusion",
    ),
    Imported(
        name="timm/ViT-B-32-SigLIP2-256, its open_clip files",
        layout="open_clip, timm",
        write=small_activation,
        refused="have a SigLIP of timm whose activation is known",
    ),
    Imported(
        name="torchvision's resnet18",
        layout="torchvision",
        write=torchvision(bottleneck=False),
        scale=IMAGENET,
        image=ADDED,
        pooling="mean",
    ),
    Imported(
        name="torchvision's resnet50",
        layout="torchvision",
        write=torchvision(bottleneck=True),
        scale=IMAGENET,
        image=ADDED,
        pooling="mean",
    ),
    Imported(
        name="CheXNet, three channels",
        layout="torchvision",
        write=chex_net,
        scale=IMAGENET,
        image=ADDED,
        pooling="mean",
    ),
    Imported(name="MapleF/eva_x", layout="timm", write=eva, refused="This is a model of timm"),
)
"""Each with what becomes of it; docs/model.md shows the same rows."""


def rows() -> str:
    """The rows of docs/model.md."""
    return "".join(f"{one.row}\n" for one in IMPORTED)
