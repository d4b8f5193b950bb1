"""The type that a folder's ``config.json`` declares, and what it must not ask for."""

from __future__ import annotations

from pathlib import Path

import transformers
from transformers import CONFIG_MAPPING

from fedaid.errors import require
from fedaid.models.folder.monai_network import MONAI_OPTIONS
from fedaid.models.local_folder import read_json

SETTINGS = ("config.json", "preprocessor_config.json", "processor_config.json", "tokenizer_config.json")


BOTH_WAYS = ("is_decoder", "add_cross_attention")
"""Options of a decoder, whose tokens see only the tokens before them, or another text."""


def require_readable(folder: Path) -> None:
    """An error if a folder's configuration asks for what is not loaded as it says.

    That is code of its own, an unknown type, and the options that this software or ``transformers`` would ignore.

    Raises:
        InputError: naming the option.
    """
    given, where = read_json(folder / "config.json"), f"$FEDAID_MODELS/{folder.name}"
    rule, remedy = "need no code of its own", "Code from a model's folder is not run: choose a model of the library."
    coded = [name for name in SETTINGS if "auto_map" in read_json(folder / name)]
    require(not coded, "encoder", rule, got=f"auto_map in {', '.join(coded)}", where=where, remedy=remedy)
    known = f"transformers {transformers.__version__}"
    model_type, rule = given.get("model_type"), f"be of a type that {known} knows"
    remedy = "Choose another model, or install the version of transformers that wrote this folder, at all sites."
    ok = isinstance(model_type, str) and (model_type in CONFIG_MAPPING or model_type in MONAI_OPTIONS)
    require(ok, "encoder", rule, got=repr(model_type), where=where, remedy=remedy)
    kind, rule = given.get("position_embedding_type", "absolute"), "have absolute positions"
    remedy = f"{known} would ignore this: choose another model."
    require(kind == "absolute", "encoder", rule, got=f"position_embedding_type {kind!r}", where=where, remedy=remedy)
    decoding, rule = [name for name in BOTH_WAYS if given.get(name)], "read a text in both directions"
    remedy = "Choose an encoder, or correct config.json if the model was trained as one."
    require(not decoding, "encoder", rule, got=f"{', '.join(decoding)} in config.json", where=where, remedy=remedy)
    quantized, rule = given.get("quantization_config"), "have weights that are not quantized"
    remedy = "Choose the model as it was before that."
    require(not quantized, "encoder", rule, got="quantization_config in config.json", where=where, remedy=remedy)
