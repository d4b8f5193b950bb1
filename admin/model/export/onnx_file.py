"""The image tower as ONNX: image → unit-norm embedding, any batch size."""

from __future__ import annotations

import copy
import json
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from admin.model.export.input_contract import input_contract
from admin.model.export.model_card import write_card
from admin.model.export.source import Source
from admin.model.export.usage import usage

FILE = "image_tower.onnx"
OPSET = 18
TOLERANCE = 1e-4
FURTHEST = 1.5
"""Largest magnitude of a valid pixel. Resampling exceeds [-1, 1] slightly; a picture of 0 … 255 exceeds it by far."""


class ImageTower(nn.Module):
    """Maps images (B, 1, S, S) in [-1, 1] to unit-norm embeddings (B, D), and images in another range to NaN."""

    def __init__(self, tower: nn.ModuleDict) -> None:
        super().__init__()
        self.encoder, self.alignment = tower["encoder"], tower["alignment"]

    def forward(self, images: Tensor) -> Tensor:
        """Return embeddings, NaN for an image out of range: an ONNX graph cannot raise an error about a range."""
        embeddings: Tensor = self.alignment(self.encoder(images))
        in_range = images.abs().amax(dim=(1, 2, 3), keepdim=True)[:, :, 0, 0] <= FURTHEST
        return torch.where(in_range, embeddings, torch.nan)


def write_onnx(source: Source, folder: Path) -> None:
    """Write the image tower into an existing folder and compare its embeddings with torch's.

    Raises:
        RuntimeError: the embeddings differ.
    """
    size: int = source.model.configuration["image_size"]
    save_graph(ImageTower(plain_attention(source.model.image)).eval(), torch.zeros(2, 1, size, size), folder / FILE)
    describe(folder / FILE, source)
    check(ImageTower(source.model.image).eval(), folder / FILE, size=size)
    write_card(source, folder / "README.md", form="onnx", usage=usage("onnx", folder="."))


def plain_attention(tower: nn.ModuleDict) -> nn.ModuleDict:
    """Return a copy of a tower with the plain ("eager") attention of Hugging Face.

    It computes the same values. The exporter does not support Swin's fused attention.
    """
    copied = copy.deepcopy(tower)
    for module in copied.modules():
        if isinstance(module, PreTrainedModel):
            module.set_attn_implementation("eager")
    return copied


def save_graph(tower: nn.Module, example: Tensor, file: Path) -> None:
    """Write the graph and its weights into one file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            tower,
            (example,),
            file,
            dynamo=True,
            verbose=False,
            opset_version=OPSET,
            input_names=["images"],
            output_names=["embeddings"],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            external_data=False,
        )


def describe(file: Path, source: Source) -> None:
    """Add the input contract, the licence and the source's hash to the file's metadata."""
    graph = onnx.load(file)
    contract = input_contract(source.model.configuration["image_size"])
    facts = {"input": json.dumps(contract), "license": source.licence, "source_sha256": source.sha256}
    onnx.helper.set_model_props(graph, facts)
    onnx.checker.check_model(graph, full_check=True)
    onnx.save(graph, file)


def check(tower: nn.Module, file: Path, *, size: int) -> None:
    """Compare onnxruntime with torch on random images, in a batch of another size than the exported one.

    Raises:
        RuntimeError: the embeddings differ.
    """
    images = torch.rand(3, 1, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    [found] = session.run(["embeddings"], {"images": images.numpy()})
    with torch.no_grad():
        difference = float(np.abs(found - tower(images).numpy()).max())
    if not difference <= TOLERANCE:
        raise RuntimeError(f"onnxruntime's embeddings differ from torch's by {difference:.1e}")
