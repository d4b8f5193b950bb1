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
"""The largest magnitude of a pixel that is taken for one in [-1, 1]; resampling goes a little beyond, 0 … 255 far."""


class ImageTower(nn.Module):
    """Images (B, 1, S, S) in [-1, 1] → embeddings (B, D) of unit norm; not-a-number for an image in another range."""

    def __init__(self, tower: nn.ModuleDict) -> None:
        super().__init__()
        self.encoder, self.alignment = tower["encoder"], tower["alignment"]

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings of images: what is wrong shows, because a runtime cannot be made to complain of a range."""
        embeddings: Tensor = self.alignment(self.encoder(images))
        in_range = images.abs().amax(dim=(1, 2, 3), keepdim=True)[:, :, 0, 0] <= FURTHEST
        return torch.where(in_range, embeddings, torch.nan)


def write_onnx(source: Source, folder: Path) -> None:
    """Writes the image tower into an existing folder and holds it against torch.

    Raises:
        RuntimeError: if the file's embeddings differ from torch's.
    """
    size: int = source.model.configuration["image_size"]
    save_graph(ImageTower(plain_attention(source.model.image)).eval(), torch.zeros(2, 1, size, size), folder / FILE)
    describe(folder / FILE, source)
    check(ImageTower(source.model.image).eval(), folder / FILE, size=size)
    write_card(source, folder / "README.md", form="onnx", usage=usage("onnx", folder="."))


def plain_attention(tower: nn.ModuleDict) -> nn.ModuleDict:
    """A copy of a tower whose Hugging Face encoder writes attention out.

    It computes the same; the exporter cannot take Swin's fused attention.
    """
    copied = copy.deepcopy(tower)
    for module in copied.modules():
        if isinstance(module, PreTrainedModel):
            module.set_attn_implementation("eager")
    return copied


def save_graph(tower: nn.Module, example: Tensor, file: Path) -> None:
    """Writes the graph with its weights inside."""
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
    """Puts the input contract, the licence and the origin into the file's own metadata."""
    graph = onnx.load(file)
    contract = input_contract(source.model.configuration["image_size"])
    facts = {"input": json.dumps(contract), "license": source.licence, "source_sha256": source.sha256}
    onnx.helper.set_model_props(graph, facts)
    onnx.checker.check_model(graph, full_check=True)
    onnx.save(graph, file)


def check(tower: nn.Module, file: Path, *, size: int) -> None:
    """Compares onnxruntime with torch on random images, a batch other than the exported one.

    Raises:
        RuntimeError: if they differ.
    """
    images = torch.rand(3, 1, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    [found] = session.run(["embeddings"], {"images": images.numpy()})
    with torch.no_grad():
        difference = float(np.abs(found - tower(images).numpy()).max())
    if not difference <= TOLERANCE:
        raise RuntimeError(f"onnxruntime's embeddings differ from torch's by {difference:.1e}")
