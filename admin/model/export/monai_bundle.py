"""A MONAI bundle of configuration only: it builds the image tower from classes of MONAI, transformers and torch."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

from admin.model.export.bundle_metadata import SCHEMA_COPY, metadata
from admin.model.export.model_card import write_card
from admin.model.export.source import Source
from admin.model.export.stock_tower import IMPORTS, StockTower, stock_image_tower
from admin.model.export.usage import usage
from fedaid.data.pixels.intensity import TAIL_PERCENT

WEIGHTS = "models/model.safetensors"
SCHEMA_FILE = "configs/meta_schema.json"
READING = ("$import numpy", "$from PIL import Image")
SUFFIXES = (".png", ".jpg", ".jpeg")


def write_bundle(source: Source, folder: Path) -> None:
    """Write the bundle into an existing folder."""
    for name in ("configs", "models", "docs"):
        (folder / name).mkdir()
    tower = stock_image_tower(source.model)
    save_file(tensors(tower), folder / WEIGHTS)
    size: int = source.model.configuration["image_size"]
    for name, content in (("inference", inference(tower, size)), ("metadata", metadata(source))):
        (folder / "configs" / f"{name}.json").write_text(json.dumps(content, indent=4), encoding="utf-8")
    shutil.copyfile(SCHEMA_COPY, folder / SCHEMA_FILE)
    write_card(source, folder / "docs" / "README.md", form="monai", usage=usage("monai", folder="."))


def tensors(tower: StockTower) -> dict[str, Tensor]:
    """Return the tensors of ``network_def`` by name."""
    inside = {f"encoder.{name}": tensor for name, tensor in tower.encoder.state_dict().items()}
    return {name: tensor.contiguous() for name, tensor in (inside | tower.head.state_dict()).items()}


def inference(tower: StockTower, size: int) -> dict[str, Any]:
    """Return the configuration that turns a folder of films into a file of embeddings, one row per film by name."""
    films = f"$sorted(str(film) for film in pathlib.Path(@dataset_dir).iterdir() if film.suffix.lower() in {SUFFIXES})"
    embedded = "[@embed(images).cpu() for images in @dataloader]"
    return {
        "imports": [*IMPORTS, *READING, "$import pathlib", "$from safetensors.torch import load_file"],
        "bundle_root": ".",
        "dataset_dir": "$@bundle_root + '/films'",
        "output_file": "$@bundle_root + '/embeddings.npy'",
        "device": "$torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        **tower.definition,
        "preprocessing": {"_target_": "Compose", "transforms": preprocessing(size)},
        "films": films,
        "dataset": {"_target_": "Dataset", "data": "@films", "transform": "@preprocessing"},
        "dataloader": {"_target_": "DataLoader", "dataset": "@dataset", "batch_size": 16, "num_workers": 0},
        "initialize": [
            f"$@network_def.load_state_dict(load_file(@bundle_root + '/{WEIGHTS}'))",
            "$@network_def.eval().requires_grad_(False).to(@device)",
        ],
        "run": [f"$numpy.save(@output_file, torch.cat({embedded}).numpy())"],
    }


def preprocessing(size: int) -> list[dict[str, Any]]:
    """Return the input contract as MONAI transforms for PNG and JPEG; the result equals this project's reader.

    MONAI's ``LoadImage`` also reads DICOM files, but it neither windows nor inverts them.
    """
    opened = "$lambda film: Image.open(film, formats=('PNG', 'JPEG'))"
    grey = "$lambda film: numpy.array(film if film.mode.startswith('I') else film.convert('L'), dtype='float32')"
    stretch = {"lower": TAIL_PERCENT, "upper": 100 - TAIL_PERCENT, "b_min": 0.0, "b_max": 1.0, "clip": True}
    resize = {"spatial_size": size, "size_mode": "longest", "mode": "bilinear", "anti_aliasing": True}
    to_range = {"a_min": 0.0, "a_max": 1.0, "b_min": -1.0, "b_max": 1.0, "clip": True}
    return [
        {"_target_": "Lambda", "func": opened},
        {"_target_": "Lambda", "func": grey},
        {"_target_": "EnsureChannelFirst", "channel_dim": "no_channel"},
        {"_target_": "ScaleIntensityRangePercentiles"} | stretch,
        {"_target_": "Resize"} | resize,
        {"_target_": "ResizeWithPadOrCrop", "spatial_size": [size, size]},
        {"_target_": "ScaleIntensityRange"} | to_range,
        {"_target_": "EnsureType", "data_type": "tensor", "dtype": "$torch.float32", "track_meta": False},
    ]
