"""The text tower of Hugging Face in a model of open_clip, such as BiomedCLIP's BERT."""

from __future__ import annotations

import re
from typing import Any

from torch import Tensor
from transformers import BertConfig, RobertaConfig

from admin.model.towers.checkpoint_state import CheckpointState
from admin.model.towers.downloaded_folder import OPEN_CLIP
from admin.model.towers.library_towers import AGAINST, text_reference, whole_model
from admin.model.towers.open_clip.open_clip_checkpoint import OpenClipCheckpoint, layer_count
from admin.model.towers.picked_tower import ASSUMED, TEXT, PickedTower

PREFIX = "text.transformer."
HEAD_WIDTH = 64
"""Of every published BERT and RoBERTa, base and large; the checkpoint does not say it."""
OPTIONS: tuple[str, ...] = (
    "hf_model_name",
    "hf_tokenizer_name",
    "hf_proj_type",
    "proj_type",
    "hf_pooler_type",
    "pooler_type",
)
DENSE_POOLER = "cls_pooler"
DENSE_NOTE = (
    f"open_clip's {DENSE_POOLER} puts the class token through a dense layer and a tanh, which this tower leaves out"
)
POOLERS = {
    "mean_pooler": "mean_tokens",
    "max_pooler": "max_tokens",
    DENSE_POOLER: "cls_token",
    "cls_last_hidden_state_pooler": "cls_token",
}
"""open_clip's poolers → the names of sentence-transformers."""
OPTIONS += ("hf_model_pretrained", "context_length", "vocab_size", "width", "heads", "layers", "tokenizer_kwargs")
OTHERS = re.compile(r"deberta|albert|distil|modern|nomic|xlm|camem|mobile|squeeze")
"""Relatives of BERT with other layers or other positions."""
ROBERTA = "roberta"
ROBERTA_REMEDY = (
    f"If it is a RoBERTa, write a hf_model_name with {ROBERTA} to {OPEN_CLIP}; "
    "otherwise import the image tower alone: --tower image."
)


def bert_tower(checkpoint: OpenClipCheckpoint) -> PickedTower:
    """The tower as ``BertModel`` or ``RobertaModel``.

    It is compared with that class in transformers. The comparison cannot show a wrong number of heads, or a wrong
    epsilon of the norms: both are assumed, because the checkpoint does not have them.

    Raises:
        InputError: for another type of model.
    """
    given, tensors = checkpoint.options("text_cfg", known=OPTIONS), checkpoint.below(PREFIX)
    checkpoint.require_plain_text(given)
    name = str(given["hf_model_name"])
    known = "bert" in name.lower() and not OTHERS.search(name.lower())
    rule, remedy = "have a BERT or RoBERTa as its text tower", "Import the image tower alone: --tower image."
    checkpoint.folder.require(known, rule, got=name, remedy=remedy)
    config = bert_config(checkpoint, name, tensors)
    module, unexpected = whole_model(checkpoint.folder, config, CheckpointState(tensors, checkpoint.files))
    pooler = str(given.get("hf_pooler_type") or given.get("pooler_type") or "mean_pooler")
    checkpoint.folder.require(pooler in POOLERS, f"have one of {', '.join(POOLERS)}", got=pooler, remedy=remedy)
    left = (*checkpoint.left(), *(f"{PREFIX}{part}" for part in unexpected))
    notes = [f"{config.num_attention_heads} heads of {HEAD_WIDTH}, as in {name}"]
    if pooler == DENSE_POOLER:
        left, notes = (*left, f"{PREFIX}pooler"), [*notes, DENSE_NOTE]
    return PickedTower(
        kind=TEXT,
        module=module,
        reference=text_reference(module),
        against=f"{AGAINST.format(config.model_type)} {ASSUMED}",
        files=checkpoint.files,
        left=left,
        pooling=POOLERS[pooler],
        notes=tuple(notes),
    )


def bert_config(checkpoint: OpenClipCheckpoint, name: str, tensors: dict[str, Tensor]) -> Any:
    """The configuration that the shapes of the tensors say.

    Raises:
        InputError: for missing weights, another width, or a RoBERTa whose name does not say it: its positions count
            from 2.
    """
    table, layer = "embeddings.{}_embeddings.weight", "encoder.layer.{}."
    needed = [*(table.format(kind) for kind in ("word", "position", "token_type")), f"{layer}intermediate.dense.bias"]
    missing = [one for one in needed if one.format(0) not in tensors]
    remedy = "Download it again."
    checkpoint.folder.require(not missing, "have all weights of its text tower", got=f"no {missing}", remedy=remedy)
    size, width = tensors[needed[0]].shape
    rule, got = f"have heads of {HEAD_WIDTH}", f"a width of {width}"
    checkpoint.folder.require(width % HEAD_WIDTH == 0, rule, got=got, remedy="Choose another model.")
    named, types = ROBERTA in name.lower(), len(tensors[needed[2]])
    rule, got = f"name a RoBERTa, which has one type of token, with {ROBERTA}", f"{name} with one type of token"
    checkpoint.folder.require(named or types != 1, rule, got=got, remedy=ROBERTA_REMEDY, name="hf_model_name")
    options = {
        "vocab_size": size,
        "hidden_size": width,
        "intermediate_size": len(tensors[needed[3].format(0)]),
        "num_hidden_layers": layer_count(tensors, layer),
        "num_attention_heads": width // HEAD_WIDTH,
        "max_position_embeddings": len(tensors[needed[1]]),
        "type_vocab_size": types,
    }
    if named:
        return RobertaConfig(**options, layer_norm_eps=1e-5, pad_token_id=1)
    return BertConfig(**options, layer_norm_eps=1e-12, pad_token_id=0)
