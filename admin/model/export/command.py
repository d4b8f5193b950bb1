"""Write a trained model in the formats of others.

python -m admin export build/demo/model --to all --out build/export
python -m admin export MODEL_FOLDER --run RUN_FOLDER --to huggingface --licence cc-by-nc-4.0 --out FOLDER
"""

from __future__ import annotations

import argparse
import logging
import re
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from transformers.utils.logging import disable_progress_bar

from admin.model.export.hugging_face_folder import write_hugging_face
from admin.model.export.monai_bundle import write_bundle
from admin.model.export.onnx_file import write_onnx
from admin.model.export.source import Source, read_source
from fedaid.errors import InputError, require

FORMATS: Mapping[str, Callable[[Source, Path], None]] = {
    "huggingface": write_hugging_face,
    "monai": write_bundle,
    "onnx": write_onnx,
}


def export_model(source: Source, formats: Sequence[str], *, out: Path) -> list[Path]:
    """Writes a folder for each format and returns them; none is left half written.

    Args:
        source: the model.
        formats: keys of :data:`FORMATS`.
        out: folder that the formats' folders are put into.

    Raises:
        InputError: if one of them is there already.
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
    """Keeps progress bars of a second, and warnings that torchvision is not there, off the terminal."""
    disable_progress_bar()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 exported, 1 refused."""
    options = parse(arguments)
    silence_libraries()
    try:
        rule, remedy = "be a licence as model hubs write it", "Write for example cc-by-nc-4.0, or leave it out."
        known = re.fullmatch(r"[a-z0-9][a-z0-9.-]*", options.licence) is not None
        require(known, "--licence", rule, got=options.licence, where="the command line", remedy=remedy)
        source = read_source(options.model, run=options.run, licence=options.licence)
        formats = list(FORMATS) if options.to == "all" else [options.to]
        for folder in export_model(source, formats, out=options.out):
            print(f"written: {folder}")
    except (InputError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if options.licence == "unknown":
        print("licence: unknown; ask the consortium and give --licence before you pass the model on")
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m admin export", description="A model in other formats.")
    parser.add_argument("model", type=Path, metavar="MODEL_FOLDER", help="what a run left, such as build/demo/model")
    parser.add_argument("--to", choices=[*FORMATS, "all"], default="all", help="default: %(default)s")
    parser.add_argument("--out", type=Path, required=True, help="a folder of its own is made in it for each format")
    parser.add_argument("--run", type=Path, help="folder with app_server that the model is from: adds its test metrics")
    parser.add_argument("--licence", default="unknown", help="as model hubs write it; default: %(default)s")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
