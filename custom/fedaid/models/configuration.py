"""Small built-in configurations of encoders. A job can override each option."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from huggingface_hub.errors import StrictDataclassError

from fedaid.errors import InputError, require
from fedaid.models.hugging_face import WHERE, local_directory, local_options
from fedaid.models.local_folder import LOCAL
from fedaid.models.vocabulary import vocabulary_hash

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
    """An encoder with all its options.

    Attributes:
        name: a key of the presets.
        options: all options, so that another machine can build the encoder without local folders.
        weights: local folder with initial weights.
        frozen: whether it is never trained.
    """

    name: str
    options: dict[str, Any]
    weights: Path | None = None
    frozen: bool = False

    @property
    def described(self) -> dict[str, Any]:
        """Name, options and ``frozen`` in one mapping, plain JSON."""
        return {"name": self.name} | self.options | ({"frozen": True} if self.frozen else {})


def choose(encoder: str | Mapping[str, Any], presets: Mapping[str, dict[str, Any]], *, setting: str) -> EncoderChoice:
    """The encoder that a job chooses.

    Args:
        encoder: a name of ``presets``, ``local:FOLDER``, or a mapping of a ``name`` and options that override the
            preset. With ``"frozen": true`` in the mapping, also for a folder, the encoder is never trained.
        presets: :data:`IMAGE_ENCODERS` or :data:`TEXT_ENCODERS`.
        setting: for the message.

    Raises:
        InputError: for an unknown encoder, a local folder with options, or ``frozen`` that is not true or false.
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
        weights, given = local_directory(name, setting=setting), local_options(name)
        name = given.pop("name")
    remedy = f"Choose one of {', '.join(presets)}, or local:FOLDER with such a model."
    require(name in presets, setting, "name a known encoder", got=repr(name), where=WHERE, remedy=remedy)
    return EncoderChoice(name, preset | given, weights, frozen)


def without_folders(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration with the options of each local encoder in place of its folder.

    The same architecture can be built from it without the folder.
    """
    presets = {"image_encoder": IMAGE_ENCODERS, "text_encoder": TEXT_ENCODERS}
    given = {name: configuration[name] for name in presets if name in configuration}
    return {**configuration, **{n: choose(value, presets[n], setting=n).described for n, value in given.items()}}


LARGEST_LOGIT_SCALE = 100.0  # as CLIP clips it, arXiv:2103.00020, section 2.5
LEAST = {"image_size": 1, "embedding_dim": 1, "projection_hidden": 1, "max_tokens": 3, "seed": 0}


@contextmanager
def blamed_on(setting: str) -> Iterator[None]:
    """Inside the block, an error of a backbone about its options becomes an :class:`InputError`."""
    try:
        yield
    except InputError:
        raise
    except (TypeError, ValueError, RuntimeError, LookupError, ArithmeticError, StrictDataclassError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        remedy = "Correct the options, image_size or max_tokens."
        raise InputError(setting, "have options that fit together", got=reason, where=WHERE, remedy=remedy) from error


def check_ranges(configuration: Mapping[str, Any]) -> None:
    """An error for a size or a temperature with which a model cannot be built or trained."""
    for name, least in LEAST.items():
        value, rule = configuration[name], f"be a whole number of at least {least}"
        ok = isinstance(value, int) and not isinstance(value, bool) and value >= least
        require(ok, name, rule, got=repr(value), where=WHERE, remedy="Correct the job's setting.")
    value, rule = configuration["temperature"], f"be in [{1 / LARGEST_LOGIT_SCALE}, 1]"
    ok = isinstance(value, (int, float)) and 1 / LARGEST_LOGIT_SCALE <= value <= 1
    require(ok, "temperature", rule, got=repr(value), where=WHERE, remedy="Use 0.07 unless you know better.")


def check_vocabulary(folder: Path | None, used: str) -> None:
    """An error if a trained text encoder was trained with another vocabulary, so that token ids mean other words.

    Args:
        folder: of a local text encoder, or None.
        used: sha256 of the model's vocabulary.
    """
    if folder is None or not (folder / "vocab.txt").is_file():
        return
    rule, remedy = "be the text encoder's own", f"Set vocabulary to local:{folder.name}."
    expected, got = vocabulary_hash(folder / "vocab.txt"), f"the one with sha256 {used[:12]}…"
    require(used == expected, "vocabulary", rule, got=got, where=WHERE, remedy=remedy)
