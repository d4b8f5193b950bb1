"""Small trained-looking models in folders, as a run leaves them, and films."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from admin.model.export.source import Source, read_source
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.saved_model import save_model

SIZE, DIM = 32, 24
IMAGE_ENCODERS: dict[str, Any] = {
    "vit": {"name": "vit", "num_hidden_layers": 2, "hidden_size": 32, "num_attention_heads": 2},
    "resnet": {"name": "resnet", "embedding_size": 16, "hidden_sizes": [16, 32, 32]},
    "monai_densenet121": "monai_densenet121",
}
SITES = {
    "north": {"loss": 1.0, "recall_at_1": 0.25, "recall_at_5": 0.5, "recall_at_10": 0.75,
              "batch_accuracy": 0.75, "studies": 30.0},
    "south": {"loss": 2.0, "recall_at_1": 0.125, "recall_at_5": 0.25, "recall_at_10": 0.5,
              "batch_accuracy": 0.25, "studies": 20.0},
}  # fmt: skip


def trained(image_encoder: Any = "resnet", **settings: Any) -> DualEncoder:
    """A small model, every tensor of which is moved off its first value, as by training."""
    sizes = {"image_size": SIZE, "embedding_dim": DIM, "projection_hidden": 16, "max_tokens": 16}
    encoder = IMAGE_ENCODERS.get(image_encoder, image_encoder) if isinstance(image_encoder, str) else image_encoder
    model = DualEncoder(image_encoder=encoder, **(sizes | settings))
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.is_floating_point():  # variances of batch norms stay above 0
                tensor.mul_(0.9 + 0.2 * torch.rand(tensor.shape, generator=draw))
                tensor.add_(0.01 * torch.randn(tensor.shape, generator=draw))
    return model.eval()


def image_embeddings(model: DualEncoder, images: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        embeddings: torch.Tensor = model.image["alignment"](model.image_features(images))
    return embeddings


def text_embeddings(model: DualEncoder, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        embeddings: torch.Tensor = model.text["alignment"](model.text_features(ids, mask), mask)
    return embeddings


def some_images(number: int = 3) -> torch.Tensor:
    return torch.rand(number, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(0)) * 2 - 1


def write_model(model: DualEncoder, folder: Path) -> Path:
    """Writes a model as a run leaves it, and returns the folder."""
    folder.mkdir(parents=True)
    tensors = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    save_model(folder, tensors, configuration=model.configuration, vocabulary_hash=model.vocabulary_hash)
    (folder / "state.json").write_text(json.dumps({"round": 5, "metrics": SITES}))
    return folder


def source_of(model: DualEncoder, folder: Path) -> Source:
    """A model as the formats are written from."""
    return read_source(write_model(model, folder))


def write_film(file: Path, *, shape: tuple[int, int] = (90, 70), levels: int = 255) -> Path:
    """A grey film of two bright fields, 8 or 16 bits."""
    rows, columns = np.mgrid[: shape[0], : shape[1]] / np.array(shape)[:, None, None]
    grey = np.exp(-((columns - 0.3) ** 2 + (rows - 0.4) ** 2) * 20) + 0.6 * np.exp(-((columns - 0.8) ** 2) * 9)
    grey += 0.1 * np.random.default_rng(0).random(shape)
    picture = (grey / grey.max() * levels).astype(np.uint8 if levels < 256 else np.uint16)
    Image.fromarray(picture).save(file)
    return file
