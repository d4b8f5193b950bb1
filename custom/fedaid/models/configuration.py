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
from fedaid.models.own_tokenizer import files_hash, require_right_side, tokenizer_files
from fedaid.models.pixel_scale import MEAN, STD, PixelScale, folder_scale, given_scale
from fedaid.models.pooling import MEAN_OF_TOKENS, POOLING, check_pooling, folder_pooling
from fedaid.models.position_grid import POSITIONS

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


FLAGS = ("frozen", "pretrained")
PAIRS = ("clip", "siglip")
PAIR_REMEDY = "This folder holds two towers: take them out with python -m admin tower import FOLDER --out NEW."
OTHERS: dict[str, tuple[str, ...]] = {
    "image_encoder": (
        "beit",
        "clip_vision_model",
        "convnextv2",
        "deit",
        "dinov2_with_registers",
        "dinov3_vit",
        "siglip_vision_model",
        "swinv2",
    ),
    "text_encoder": (
        "camembert",
        "clip_text_model",
        "deberta-v2",
        "megatron-bert",
        "modernbert",
        "mpnet",
        "siglip_text_model",
        "xlm-roberta",
    ),
}
"""Types without a small preset: for local folders, or with all sizes given as options."""


class EncoderChoice(NamedTuple):
    """An encoder with all its options.

    Attributes:
        name: a key of the presets, or one of :data:`OTHERS`.
        options: all options, so that another machine can build the encoder without local folders.
        weights: local folder with initial weights.
        frozen: whether it is never trained.
        pretrained: whether it started from a local folder.
        scale: of the grey values that an image encoder takes; None for [-1, 1].
        pooling: how its features become one vector, a key of :data:`fedaid.models.pooling.KINDS`.
    """

    name: str
    options: dict[str, Any]
    weights: Path | None = None
    frozen: bool = False
    pretrained: bool = False
    scale: PixelScale | None = None
    pooling: str = MEAN_OF_TOKENS

    @property
    def described(self) -> dict[str, Any]:
        """Name, options and the facts beside them in one mapping, plain JSON."""
        facts: dict[str, Any] = {name: True for name in FLAGS if getattr(self, name)}
        facts |= {POOLING: self.pooling} if self.pooling != MEAN_OF_TOKENS else {}
        return {"name": self.name} | self.options | facts | (self.scale.described if self.scale else {})


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
    flags = {flag: given.pop(flag, False) for flag in FLAGS}
    for flag, value in flags.items():
        remedy = f"Write true, or leave {flag} out."
        require(isinstance(value, bool), flag, "be true or false", got=repr(value), where=WHERE, remedy=remedy)
    scale, pooling = _given_scale(given), given.pop(POOLING, None)
    preset = presets.get(name, {})
    if name.startswith(LOCAL):
        rule = f"have no options but frozen, {POOLING}, {MEAN} and {STD} beside a folder"
        remedy = "Its config.json holds them."
        require(not given, setting, rule, got=sorted(given), where=WHERE, remedy=remedy)
        weights, given = local_directory(name, setting=setting), local_options(name)
        name, flags["pretrained"] = given.pop("name"), True
        scale = folder_scale(weights) if scale is None and setting == "image_encoder" else scale
        pooling = folder_pooling(weights, name, given) if pooling is None else pooling
    known = (*presets, *OTHERS.get(setting, ()))
    remedy = PAIR_REMEDY if name in PAIRS else f"Choose one of {', '.join(presets)}, or local:FOLDER with such a model."
    require(name in known, setting, "name a known encoder", got=repr(name), where=WHERE, remedy=remedy)
    pooling = check_pooling(MEAN_OF_TOKENS if pooling is None else pooling, name, setting=setting, where=WHERE)
    return EncoderChoice(name, preset | given, weights, scale=scale, pooling=pooling, **flags)


def _given_scale(given: dict[str, Any]) -> PixelScale | None:
    """Takes the scale of grey values out of the options."""
    mean, std = given.pop(MEAN, None), given.pop(STD, None)
    return None if mean is None and std is None else given_scale(mean, std, where=WHERE)


def sized(choice: EncoderChoice, image_size: int) -> EncoderChoice:
    """The choice with this image size among its options, if it is pretrained and its positions are interpolated."""
    if not choice.pretrained or choice.name not in POSITIONS:
        return choice
    return choice._replace(options=choice.options | {"image_size": image_size})


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
    """An error if a trained text encoder does not get the token ids that it was trained with.

    Args:
        folder: of a local text encoder, or None.
        used: sha256 of the model's vocabulary.
    """
    if folder is None:
        return
    files = tokenizer_files(folder)
    where, rule = f"$FEDAID_MODELS/{folder.name}", "lie in the folder of the text encoder"
    remedy = "Put its tokenizer.json and tokenizer_config.json there: token ids of another tokenizer mean other words."
    require(bool(files), "tokenizer", rule, got="no tokenizer.json and no vocab.txt", where=where, remedy=remedy)
    require_right_side(folder)
    rule, remedy = "be the text encoder's own", f"Set vocabulary to local:{folder.name}."
    got = f"the one with sha256 {used[:12]}…"
    require(used == files_hash(files), "vocabulary", rule, got=got, where=WHERE, remedy=remedy)
