"""A model in a folder: ``model.safetensors`` and ``config.json``, readable without FLARE."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from transformers import CONFIG_MAPPING

from fedaid.errors import require
from fedaid.models.configuration import FLAGS
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.hugging_face import UNDECLARED, option_names
from fedaid.models.image_tower import MONAI
from fedaid.models.pixel_scale import MEAN, STD
from fedaid.models.pooling import POOLING
from fedaid.models.vocabulary import find_vocabulary, vocabulary_hash
from fedaid.sealed_folder import require_whole
from fedaid.version import VERSION, VERSION_KEY

WEIGHTS, CONFIG = "model.safetensors", "config.json"


def save_model(
    folder: Path, tensors: Mapping[str, NDArray[Any]], *, configuration: Mapping[str, Any], vocabulary_hash: str
) -> None:
    """Writes the tensors and the configuration of the model to an existing folder."""
    save_file({name: np.asarray(tensor, order="C") for name, tensor in tensors.items()}, folder / WEIGHTS)
    config = {"configuration": dict(configuration), "vocabulary_sha256": vocabulary_hash, VERSION_KEY: VERSION}
    (folder / CONFIG).write_text(json.dumps(config, indent=1, sort_keys=True))


def new_model(configuration: Mapping[str, Any], expected_vocabulary: str, *, where: str) -> DualEncoder:
    """A model of this configuration; this machine must have the same vocabulary.

    Args:
        configuration: constructor arguments of :class:`DualEncoder`.
        expected_vocabulary: sha256 of the vocabulary file.
        where: the machine, for the message.

    Raises:
        InputError: if the vocabulary differs.
    """
    found = vocabulary_hash(find_vocabulary(configuration["vocabulary"]))
    require(
        found == expected_vocabulary,
        "vocabulary",
        f"have sha256 {expected_vocabulary[:12]}…",
        got=f"{found[:12]}…",
        where=where,
        remedy="Use the vocabulary that the model was made with.",
    )
    require_known(configuration, where=where)
    return DualEncoder(**configuration)


def require_known(configuration: Mapping[str, Any], *, where: str) -> None:
    """An error if this machine's transformers lacks the type of an encoder, or one of its options.

    The machine that made the model knows both, so this one has an older version. It is a site, or loads a saved model.
    """
    remedy = "Install the transformers of requirements.txt, as on the machine that made the model."
    for setting in ("image_encoder", "text_encoder"):
        given = configuration.get(setting)
        if not isinstance(given, Mapping) or given["name"] in MONAI:
            continue
        known = option_names(type(CONFIG_MAPPING[given["name"]]())) if given["name"] in CONFIG_MAPPING else []
        facts = {"name", *FLAGS, POOLING, MEAN, STD, *known, *UNDECLARED.get(given["name"], ())}
        got = next((f"{given['name']} without {option}" for option in given if option not in facts), given["name"])
        ok, rule = bool(known) and got == given["name"], f"be known to transformers {transformers.__version__}"
        require(ok, setting, rule, got=got if known else repr(given["name"]), where=where, remedy=remedy)


def load_model(folder: Path) -> DualEncoder:
    """The model that ``save_model`` wrote, in evaluation mode.

    Raises:
        InputError: if this machine has another vocabulary, or the files are not as they were written.
        RuntimeError: if the tensors do not fit the configuration.
    """
    require_whole(folder)
    config = json.loads((folder / CONFIG).read_text())
    model = new_model(config["configuration"], config["vocabulary_sha256"], where=str(folder))
    tensors = {name: torch.from_numpy(tensor) for name, tensor in load_file(folder / WEIGHTS).items()}
    model.load_state_dict(tensors, strict=True)
    return model.eval()


def merged_model(model: DualEncoder) -> DualEncoder:
    """A copy of the model without adapters: their trained change is added to the weights of their layers.

    The argument is not changed.
    """
    from peft.tuners.tuners_utils import BaseTunerLayer  # as in adapters.py

    merged = copy.deepcopy(model)
    for layer in merged.modules():
        if isinstance(layer, BaseTunerLayer):
            layer.merge(safe_merge=True)
    state = {name.replace(".base_layer.", "."): tensor for name, tensor in merged.state_dict().items()}
    plain = DualEncoder(**model.configuration | {"adapters": None})
    plain.load_state_dict({name: tensor for name, tensor in state.items() if ".lora_" not in name}, strict=True)
    return plain.train(model.training)
