"""A start from an export: the Hugging Face layout read back as the model that it was written from."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from admin.jobs.folder import read_object
from admin.jobs.start.started_job import Start
from admin.model.export.hugging_face_folder import ALIGNMENT, CONFIGURATION, IMAGE, LOG_SCALE, TEXT, VOCABULARY
from admin.model.export.stock_encoder import last_block
from admin.model.export.stock_tower import (
    renamed,
    renamings,
    stock_image_encoder,
    stock_image_tower,
    stock_text_tower,
)
from admin.model.towers.downloaded_folder import opened
from fedaid.errors import InputError, require
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.saved_model import CONFIG, WEIGHTS, new_model, save_model
from fedaid.models.tensor_names import LOGIT_SCALE
from fedaid.models.tower import NoBlock

DAMAGE = (OSError, AttributeError, TypeError, LookupError, ValueError, RuntimeError, SafetensorError)
"""What reading leads to if a file is not as an export wrote it."""
WHOLE = "Give the folder of a run's model, or its Hugging Face export with both towers."


@contextmanager
def start_from(folder: Path, *, towers_only: bool = False) -> Iterator[Start]:
    """The start model in a folder: a run's model as it is, an export read back into a folder for the time being.

    Args:
        folder: left by a run, or by ``python -m admin export``.
        towers_only: see :class:`Start`.

    Raises:
        InputError: the folder is a MONAI bundle or an ONNX export, which hold one tower, or a damaged export.
    """
    where = f"--from {folder.resolve().name}"
    within = folder / "huggingface"
    export = within if (within / ALIGNMENT / CONFIG).is_file() else folder
    if not (export / ALIGNMENT / CONFIG).is_file():
        single = (folder / "configs" / "metadata.json").is_file() or any(folder.glob("*.onnx"))
        got = "a MONAI bundle or an ONNX export"
        require(not single, "--from", "hold both towers", got=got, where=where, remedy=WHOLE)
        yield Start(folder, towers_only)
        return
    with tempfile.TemporaryDirectory(prefix="fedaid-start-") as made:
        write_start(export, Path(made), where=where)
        yield Start(Path(made), towers_only, name=folder.resolve().name)


def write_start(export: Path, folder: Path, *, where: str) -> None:
    """Write the model of an export as a run writes it; without adapters the file has the same bytes.

    Raises:
        InputError: for a damaged export, or one with adapters of its own, code, or links to other folders.
    """
    for part in (export, *(export / name for name in (ALIGNMENT, IMAGE, TEXT) if (export / name).is_dir())):
        opened(part)
    facts = read_object(export / ALIGNMENT / CONFIG)
    stated, remedy = {CONFIGURATION, VOCABULARY, LOG_SCALE} <= facts.keys(), "Export the model again with this version."
    got = "an export of an earlier version"
    require(stated, "--from", "state its model's configuration", got=got, where=where, remedy=remedy)
    found = [name for name in (IMAGE, TEXT) if (export / name / CONFIG).is_file()]
    require(len(found) == 2, "--from", "hold both towers", got=found, where=where, remedy=WHOLE)
    try:
        model = new_model(dict(facts[CONFIGURATION]), facts[VOCABULARY], where=where)
        tensors = read_back(model, export) | {LOGIT_SCALE: torch.tensor(float(facts[LOG_SCALE])).numpy()}
    except InputError:
        raise
    except DAMAGE as error:
        got = f"{type(error).__name__} on reading"
        raise InputError(
            "--from", "be a whole export", got=got, where=where, remedy="Export the model again."
        ) from error
    configuration, tokens = model.configuration, model.vocabulary_hash
    save_model(folder, tensors, configuration=configuration, vocabulary_hash=tokens)


def read_back(model: DualEncoder, export: Path) -> dict[str, NDArray[Any]]:
    """The tensors of both towers by the names of our model."""
    whole = {IMAGE: stock_image_encoder(model).holds_last_block}
    whole[TEXT] = not isinstance(model.text["alignment"].block, NoBlock)
    found: dict[str, NDArray[Any]] = {}
    for folder, stock in ((IMAGE, stock_image_tower(model)), (TEXT, stock_text_tower(model))):
        tower = folder.removesuffix("_encoder")
        written = read_encoder(stock.encoder, export / folder) | load_file(export / ALIGNMENT / f"{tower}.safetensors")
        names = renamings(last_block(stock.encoder) if whole[folder] else None)
        for name in getattr(model, tower).state_dict():
            new = renamed(name, names)
            tensor = written[new][None] if new == "position.weight" else written[new]
            found[f"{tower}.{name}"] = tensor.numpy()
    return found


def read_encoder(stock: Any, folder: Path) -> Mapping[str, Tensor]:
    """The tensors of an exported encoder, their names with ``encoder.`` before them.

    ``transformers`` gets the tensors, not the folder: it would follow ``adapter_config.json`` to other weights.

    Raises:
        ValueError: if a tensor is missing, which ``transformers`` would draw at random.
    """
    kind: Any = type(stock)
    options = {"config": stock.config, "state_dict": load_file(folder / WEIGHTS), "dtype": "float32"}
    encoder, report = kind.from_pretrained(
        None, **options, output_loading_info=True, local_files_only=True, trust_remote_code=False
    )
    if report["missing_keys"]:
        raise ValueError(f"missing: {sorted(report['missing_keys'])[:1]}")
    read: nn.Module = encoder
    return {f"encoder.{name}": tensor for name, tensor in read.state_dict().items()}
