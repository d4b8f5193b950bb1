"""Write a trained model in formats of other libraries."""

from __future__ import annotations

import logging
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from transformers.utils.logging import disable_progress_bar

from admin.model.export.hugging_face_folder import write_hugging_face
from admin.model.export.monai_bundle import write_bundle
from admin.model.export.onnx_file import write_onnx
from admin.model.export.source import Source
from fedaid.errors import require

FORMATS: Mapping[str, Callable[[Source, Path], None]] = {
    "huggingface": write_hugging_face,
    "monai": write_bundle,
    "onnx": write_onnx,
}


def export_model(source: Source, formats: Sequence[str], *, out: Path) -> list[Path]:
    """Write one folder for each format and return the folders; each appears only when it is complete.

    Args:
        source: the model.
        formats: keys of :data:`FORMATS`.
        out: the parent of the formats' folders.

    Raises:
        InputError: a format's folder exists already.
    """
    for name in formats:
        remedy = "Choose another folder, or remove it."
        free = not (out / name).exists()
        require(free, "--out", "not hold this format yet", got=name, where=str(out / name), remedy=remedy)
    out.mkdir(parents=True, exist_ok=True)
    for name in formats:
        with tempfile.TemporaryDirectory(dir=out, prefix=".") as partial:
            made = Path(partial) / name
            made.mkdir()
            FORMATS[name](source, made)
            made.rename(out / name)
    return [out / name for name in formats]


def silence_libraries() -> None:
    """Turn off short progress bars and the warnings about missing torchvision."""
    disable_progress_bar()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)


def require_licence(licence: str) -> None:
    """Refuse a licence that model hubs cannot read."""
    rule, remedy = "be a licence as model hubs write it", "Write for example cc-by-nc-4.0, or leave it out."
    known = re.fullmatch(r"[a-z0-9][a-z0-9.-]*", licence) is not None
    require(known, "--licence", rule, got=licence, where="the command line", remedy=remedy)
