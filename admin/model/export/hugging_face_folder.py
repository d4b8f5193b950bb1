"""The Hugging Face layout: each encoder as a folder for ``AutoModel``, and a folder with the alignment tensors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from transformers import AutoTokenizer, PreTrainedTokenizerFast, ViTImageProcessorPil

from admin.model.export.input_contract import input_contract
from admin.model.export.model_card import write_card
from admin.model.export.source import Source
from admin.model.export.stock_pooling import kind_of
from admin.model.export.stock_tower import stock_image_tower, stock_text_tower
from admin.model.export.usage import hugging_face_usage
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.image_tower import MONAI
from fedaid.models.pixel_scale import MEAN, STD
from fedaid.models.vocabulary import find_vocabulary, load_tokenizer
from fedaid.version import VERSION, VERSION_KEY

IMAGE, TEXT, ALIGNMENT = "image_encoder", "text_encoder", "alignment"
CONFIGURATION, VOCABULARY, LOG_SCALE = "configuration", "vocabulary_sha256", "log_logit_scale"


def write_hugging_face(source: Source, folder: Path) -> None:
    """Write the layout into an existing folder.

    ``transformers`` has no class for MONAI's image encoders. Such an image tower is left out, and the card says so.
    """
    model = source.model
    towers = {TEXT: stock_text_tower(model)}
    if model.configuration["image_encoder"]["name"] not in MONAI:
        towers[IMAGE] = stock_image_tower(model)
        write_processor(model, folder / IMAGE)
    (folder / ALIGNMENT).mkdir()
    for name, tower in towers.items():
        write_encoder(tower.encoder, folder / name)
        save_file(tower.head.state_dict(), folder / ALIGNMENT / f"{name.removesuffix('_encoder')}.safetensors")
    write_tokenizer(model, folder / TEXT)
    (folder / ALIGNMENT / "config.json").write_text(json.dumps(alignment_facts(model), indent=1))
    code = hugging_face_usage(model, towers.get(IMAGE), towers[TEXT])
    write_card(source, folder / "README.md", form="huggingface", usage=code)


def write_encoder(encoder: Any, folder: Path) -> None:
    """Write an encoder in the format of its library."""
    encoder.save_pretrained(folder)


def write_processor(model: DualEncoder, folder: Path) -> None:
    """Write a stock image processor with the size of the input contract and the encoder's scale of grey values.

    It cannot stretch the grey values. If the encoder takes one channel, the processor refuses colour images.
    """
    size: int = model.configuration["image_size"]
    channels: int = model.image["encoder"].channels  # type: ignore[assignment]
    chosen = model.configuration["image_encoder"]
    mean, std = (list(chosen.get(name, [0.5])) for name in (MEAN, STD))
    processor = ViTImageProcessorPil(
        size={"height": size, "width": size},
        resample=2,  # bilinear
        image_mean=mean * (channels // len(mean)),
        image_std=std * (channels // len(std)),
        do_convert_rgb=channels == 3,
    )
    processor.save_pretrained(folder)


def write_tokenizer(model: DualEncoder, folder: Path) -> None:
    """Write the tokenizer as a stock fast tokenizer; it truncates a text to the model's ``max_tokens``."""
    longest: int = model.configuration["max_tokens"]
    vocabulary = find_vocabulary(model.configuration["vocabulary"])
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    if vocabulary.is_dir():
        own = AutoTokenizer.from_pretrained(vocabulary, local_files_only=True, trust_remote_code=False)
        special = own.special_tokens_map
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=load_tokenizer(vocabulary, max_tokens=longest),
        model_max_length=longest,
        model_input_names=["input_ids", "attention_mask"],
        **special,
    )
    tokenizer.save_pretrained(folder)


def alignment_facts(model: DualEncoder) -> dict[str, Any]:
    """Return, as plain JSON, the facts that the use of the alignment tensors needs, and a start of a run from them."""
    return {
        "embedding_dim": model.configuration["embedding_dim"],
        "logit_scale": float(model.logit_scale.detach()),
        LOG_SCALE: float(model.log_logit_scale.detach()),
        CONFIGURATION: dict(model.configuration),
        VOCABULARY: model.vocabulary_hash,
        "max_tokens": model.configuration["max_tokens"],
        "pooling": {"image": kind_of(model.image), "text": kind_of(model.text)},
        "input": input_contract(model.configuration["image_size"]),
        VERSION_KEY: VERSION,
    }
