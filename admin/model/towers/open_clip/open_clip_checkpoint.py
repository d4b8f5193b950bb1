"""A model in open_clip's layout: ``open_clip_config.json`` and one file of weights for both towers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from admin.model.towers.checkpoint_state import read_state
from admin.model.towers.downloaded_folder import OPEN_CLIP, DownloadedFolder

OPEN_CLIP_FILES = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "model.safetensors",
    "open_clip_pytorch_model.bin",
    "pytorch_model.bin",
)
IMAGE_SIZE = 224
"""Of a configuration that does not say it, as in open_clip."""
IN_TOWERS = re.compile(
    r"visual\.(trunk|transformer|conv1|class_embedding|positional_embedding|ln_pre|ln_post)\b"
    r"|(text\.)?(transformer|token_embedding|positional_embedding|ln_final|attn_mask)\b"
)
"""Names of the tensors that a tower has; those of a head or a projection are others."""
PLAIN_TEXT: tuple[dict[str, str], ...] = ({}, {"clean": "whitespace"})
"""Options of a tokenizer of open_clip that change nothing that a token depends on."""
RESAMPLING = {"bilinear": 2, "bicubic": 3}
"""Numbers of PIL's filters."""


@dataclass(frozen=True)
class OpenClipCheckpoint:
    """A checkpoint of open_clip.

    Attributes:
        folder: that it lies in.
        model: ``model_cfg`` of its configuration.
        tensors: in float32, by their names.
        files: of the weights.
    """

    folder: DownloadedFolder
    model: Mapping[str, Any]
    tensors: Mapping[str, Tensor]
    files: tuple[str, ...]

    def below(self, prefix: str) -> dict[str, Tensor]:
        """The tensors of one part, without the prefix of their names."""
        return {name.removeprefix(prefix): tensor for name, tensor in self.tensors.items() if name.startswith(prefix)}

    def options(self, part: str, *, known: Iterable[str]) -> Mapping[str, Any]:
        """The options of ``vision_cfg`` or ``text_cfg``.

        Raises:
            InputError: for an option that this import does not know: it may change the features.
        """
        given: Mapping[str, Any] = self.model.get(part) or {}
        odd = sorted(name for name in given.keys() - set(known) if given[name] not in (None, False))
        remedy = "Choose another model: this option may change what the tower computes."
        self.folder.require(not odd, f"have known options in {part}", got=odd, remedy=remedy, name=OPEN_CLIP)
        return given

    def whole_number(self, part: str, name: str, default: int) -> int:
        """An option of ``vision_cfg`` or ``text_cfg`` that is a number above 0.

        Raises:
            InputError: for another value.
        """
        value = self.model[part].get(name, default)
        ok = isinstance(value, int) and not isinstance(value, bool) and value > 0
        rule, remedy = f"have a whole number above 0 as {name} in {part}", "Choose a model with square images."
        remedy = remedy if name == "image_size" else "Download it again."
        self.folder.require(ok, rule, got=repr(value)[:60], remedy=remedy, name=OPEN_CLIP)
        return int(value)

    def require_names(self, found: Iterable[str], expected: Iterable[str], *, tower: str) -> None:
        """An error if a tower has other tensors than those that are converted.

        Raises:
            InputError: for a missing or a superfluous tensor.
        """
        lacking, surplus = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
        remedy = "Download it again, or choose another model."
        self.folder.require(
            not lacking, f"have all weights of its {tower} tower", got=f"no {lacking[:3]}", remedy=remedy
        )
        rule, got = f"have no other weights in its {tower} tower", f"also {surplus[:3]}"
        self.folder.require(not surplus, rule, got=got, remedy="Choose another model: this one has other layers.")

    def require_plain_text(self, given: Mapping[str, Any]) -> None:
        """An error if open_clip changes a text before the tokenizer, or its token ids after it.

        Raises:
            InputError: naming the setting.
        """
        cleaning = given.get("tokenizer_kwargs") or {}
        rule, remedy = "give its texts to the tokenizer as they are", "Import the image tower alone: --tower image."
        self.folder.require(cleaning in PLAIN_TEXT, rule, got=f"tokenizer_kwargs {cleaning}", remedy=remedy)

    def left(self) -> tuple[str, ...]:
        """Parts of the checkpoint that no tower has."""
        apart = [name.split(".") for name in self.tensors if not IN_TOWERS.match(name)]
        return tuple(sorted({".".join(words[: 2 if words[0] in ("visual", "text") else 1]) for words in apart}))


def read_open_clip(folder: DownloadedFolder) -> OpenClipCheckpoint:
    """The checkpoint of a folder.

    Raises:
        InputError: for damaged weights, or a configuration without ``model_cfg``.
    """
    model, state = folder.settings(OPEN_CLIP).get("model_cfg"), read_state(folder, OPEN_CLIP_FILES)
    ok = isinstance(model, Mapping) and all(isinstance(model.get(name), Mapping) for name in ("vision_cfg", "text_cfg"))
    rule, got = "have vision_cfg and text_cfg in its model_cfg", repr(model)[:80]
    folder.require(ok, rule, got=got, remedy="Download it again.", name=OPEN_CLIP)
    tensors = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in state.tensors.items()}
    return OpenClipCheckpoint(folder, dict(model or {}), tensors, state.files)


def layer_count(names: Iterable[str], pattern: str) -> int:
    """The number of layers, from the names of tensors; ``pattern`` has ``{}`` for the number."""
    matcher = re.compile(re.escape(pattern).replace(r"\{\}", r"(\d+)"))
    return 1 + max((int(found.group(1)) for name in names if (found := matcher.match(name))), default=-1)


def open_clip_processor(folder: DownloadedFolder, image_size: int) -> dict[str, Any]:
    """``preprocessor_config.json`` of what ``preprocess_cfg`` says; that file itself if it says nothing.

    Raises:
        InputError: if ``preprocess_cfg`` is of another kind.
    """
    given = folder.settings(OPEN_CLIP).get("preprocess_cfg") or {}
    rule, remedy = "have an object as preprocess_cfg, with lists as mean and std", "Download it again."
    ok = isinstance(given, dict) and all(isinstance(given.get(name, []), list | None) for name in ("mean", "std"))
    folder.require(ok, rule, got=repr(given)[:80], remedy=remedy, name=OPEN_CLIP)
    if given.get("mean") is None or given.get("std") is None:
        return folder.processor()
    return {
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(given["mean"]),
        "image_std": list(given["std"]),
        "do_resize": True,
        "size": {"height": image_size, "width": image_size},
        "resample": RESAMPLING.get(str(given.get("interpolation", "bicubic")), RESAMPLING["bicubic"]),
    }


def filled(module: nn.Module, state: dict[str, Tensor], checkpoint: OpenClipCheckpoint) -> nn.Module:
    """The module with these weights, in evaluation mode.

    Raises:
        InputError: for a tensor of another shape than the configuration says.
    """
    try:
        module.load_state_dict(state, strict=True)
    except RuntimeError as error:
        got, rule = " ".join(str(error).split())[:200], "have weights that fit open_clip_config.json"
        raise checkpoint.folder.refusal(rule, got=got, remedy="Download it again.") from error
    return module.eval()
