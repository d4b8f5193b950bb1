"""Published models that a job loads after an import, as tiny fakes of the same layout."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from tests.admin.model.towers import dense_net_download, downloads, open_clip_downloads
from tests.models.published_encoders import CLIP, HALF, IMAGENET

Scale = tuple[list[float], list[float]]
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
    """

    name: str
    layout: str
    write: Callable[[Path], tuple[Any, Any]]
    scale: Scale = CLIP
    image: str = ""
    text: str = ""
    pooling: str = ""
    refused: str = ""

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


def siglip_of_timm(folder: Path) -> tuple[Any, Any]:
    """open_clip's SigLIP: its image tower is no plain ViT."""
    open_clip_downloads.biomed_clip(folder)
    file = folder / "open_clip_config.json"
    given = json.loads(file.read_text())
    given["model_cfg"]["vision_cfg"]["timm_model_name"] = "vit_base_patch16_siglip_224"
    file.write_text(json.dumps(given))
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
        name="timm/ViT-B-16-SigLIP", layout="open_clip, timm", write=siglip_of_timm, refused="have a plain ViT of timm"
    ),
)
"""Each with what becomes of it; docs/model.md shows the same rows."""


def rows() -> str:
    """The rows of docs/model.md."""
    return "".join(f"{one.row}\n" for one in IMPORTED)
