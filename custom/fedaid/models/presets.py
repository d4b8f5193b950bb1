"""Small built-in configurations: a model variant is data. Any entry can be overridden option by option in a job."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from fedaid.errors import require
from fedaid.models.hugging_face import WHERE, local_directory, local_options
from fedaid.models.local_folder import LOCAL

IMAGE_ENCODERS: dict[str, dict[str, Any]] = {
    "monai_densenet121": {},
    "monai_resnet": {"block": "basic", "layers": [1, 1, 1, 1], "block_inplanes": [32, 64, 128, 256]},
    "monai_vit": {"patch_size": 8, "hidden_size": 128, "mlp_dim": 256, "num_layers": 4, "num_heads": 4},
    "vit": {
        "patch_size": 8,
        "hidden_size": 128,
        "intermediate_size": 256,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
    },
    "dinov2": {"patch_size": 8, "hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4, "mlp_ratio": 2},
    "convnext": {"patch_size": 2, "hidden_sizes": [32, 64, 128], "depths": [1, 1, 2], "num_stages": 3},
    "swin": {"patch_size": 4, "embed_dim": 32, "depths": [2, 2], "num_heads": [2, 4], "window_size": 4},
    "resnet": {"embedding_size": 32, "hidden_sizes": [32, 64, 128], "depths": [1, 1, 1], "layer_type": "basic"},
}

TEXT_ENCODERS: dict[str, dict[str, Any]] = {
    "bert": {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4},
    "roberta": {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4},
    "electra": {
        "embedding_size": 128,
        "hidden_size": 128,
        "intermediate_size": 256,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
    },
    "distilbert": {"dim": 128, "hidden_dim": 256, "n_layers": 2, "n_heads": 4},
}


class EncoderChoice(NamedTuple):
    """An encoder, fully spelled out.

    Attributes:
        name: a key of the presets.
        options: all of them, so that another machine can build the same without local folders.
        weights: local folder to start from.
        frozen: whether it never learns.
    """

    name: str
    options: dict[str, Any]
    weights: Path | None = None
    frozen: bool = False

    @property
    def described(self) -> dict[str, Any]:
        """Name, options and whether it is frozen as one mapping, plain JSON."""
        return {"name": self.name} | self.options | ({"frozen": True} if self.frozen else {})


def choose(encoder: str | Mapping[str, Any], presets: Mapping[str, dict[str, Any]], *, setting: str) -> EncoderChoice:
    """What a job's ``encoder`` stands for.

    Args:
        encoder: a name of ``presets``, ``local:FOLDER``, or a mapping of a preset's ``name`` and options over it. With
            ``"frozen": true`` in the mapping, of a folder too, the encoder never learns.
        presets: :data:`IMAGE_ENCODERS` or :data:`TEXT_ENCODERS`.
        setting: for the message.

    Raises:
        InputError: if it is not known, a local folder is given options, or ``frozen`` is neither true nor false.
    """
    given: dict[str, Any] = dict(encoder) if isinstance(encoder, Mapping) else {"name": encoder}
    name, weights = str(given.pop("name", "")), None
    preset, frozen = presets.get(name, {}), given.pop("frozen", False)
    remedy = "Write true for an encoder that never learns, or leave it out."
    require(isinstance(frozen, bool), "frozen", "be true or false", got=repr(frozen), where=WHERE, remedy=remedy)
    if name.startswith(LOCAL):
        remedy = "Leave the options out: the folder's config.json holds them."
        require(
            not given,
            setting,
            "have no options but frozen beside a folder",
            got=sorted(given),
            where=WHERE,
            remedy=remedy,
        )
        weights, given = local_directory(name), local_options(name)
        name = given.pop("name")
    remedy = f"Choose one of {', '.join(presets)}, or local:FOLDER with such a model."
    require(name in presets, setting, "name a known encoder", got=repr(name), where=WHERE, remedy=remedy)
    return EncoderChoice(name, preset | given, weights, frozen)
