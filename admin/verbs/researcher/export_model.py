"""Write a trained model in other formats: Hugging Face, MONAI bundle, ONNX.

python -m admin export build/demo/model --to all --out build/export
python -m admin export MODEL_FOLDER --run RUN_FOLDER --to huggingface --licence cc-by-nc-4.0 --out FOLDER
"""

from __future__ import annotations

import argparse
from pathlib import Path

from admin.verbs.answer import Answer
from admin.verbs.verb_parser import existing_folder

FORMATS = ("huggingface", "monai", "onnx")
UNKNOWN = "unknown"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``export``."""
    parser.add_argument(
        "model", type=existing_folder, metavar="MODEL_FOLDER", help="left by a run, such as build/demo/model"
    )
    parser.add_argument("--to", choices=[*FORMATS, "all"], default="all", help="default: %(default)s")
    parser.add_argument("--out", type=Path, required=True, help="folder that gets one folder for each format")
    parser.add_argument(
        "--run", type=existing_folder, metavar="RUN_FOLDER", help="the model's run, to add its test metrics"
    )
    parser.add_argument("--licence", default=UNKNOWN, help="as model hubs write it (default: %(default)s)")


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Write the formats, and print their folders."""
    answer.after_interrupt = "formats that are complete are kept"
    from admin.model.export.formats import export_model, require_licence, silence_libraries
    from admin.model.export.source import read_source

    silence_libraries()
    require_licence(options.licence)
    source = read_source(options.model, run=options.run, licence=options.licence)
    folders = export_model(source, FORMATS if options.to == "all" else [options.to], out=options.out)
    answer.add("\n".join(f"written: {folder}" for folder in folders), written=[str(folder) for folder in folders])
    if options.licence == UNKNOWN:
        answer.add("licence: unknown; ask the consortium and give --licence before you pass the model on")
