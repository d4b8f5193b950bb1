"""Whether a job's model can start from the weights of a finished model: the architecture must be the same."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from fedaid.errors import require
from fedaid.models.adapters import adapter_settings
from fedaid.models.configuration import IMAGE_ENCODERS, TEXT_ENCODERS, choose, sized
from fedaid.models.vocabulary import find_vocabulary, vocabulary_hash

ABSENT = "nothing"
ANEW = ("embedding_dim", "projection_hidden", "temperature")
"""Settings of the part that a start from the towers alone draws anew."""
FREE = ("seed", "adapters", "vocabulary")
"""Settings that may differ, or that have a rule of their own."""


def described(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration as a model of it states it, without building the model.

    Args:
        configuration: constructor arguments of :class:`DualEncoder`, all of them.

    Raises:
        InputError: for an unknown encoder or invalid adapters.
    """
    chosen = choose(configuration["image_encoder"], IMAGE_ENCODERS, setting="image_encoder")
    text = choose(configuration["text_encoder"], TEXT_ENCODERS, setting="text_encoder")
    image, adapters = sized(chosen, configuration["image_size"]), configuration["adapters"]
    towers = {"image_encoder": image.described, "text_encoder": text.described}
    full = {**configuration, **towers, "adapters": adapters and asdict(adapter_settings(adapters))}
    plain: dict[str, Any] = json.loads(json.dumps(full))  # as it is saved: JSON knows no tuples
    return plain


def require_same_architecture(
    wanted: Mapping[str, Any], start: Mapping[str, Any], *, towers_only: bool, where: str
) -> None:
    """Refuses a model that cannot hold the weights of another one, by the first setting that differs.

    Args:
        wanted: configuration of the model, as :func:`described` gives it.
        start: configuration of the finished model, likewise.
        towers_only: whether the alignment modules and the logit scale are drawn anew.
        where: the finished model, for the message.

    Raises:
        InputError: naming the setting and both values.
    """
    now, before = dict(leaves(wanted)), dict(leaves(start))
    free = FREE + (ANEW if towers_only else ())
    for name in (name for name in (before | now) if name not in free):
        value, rule = before.get(name, ABSENT), f"be that of the start model, {before.get(name, ABSENT)}"
        remedy = "Leave it out: it comes with the start model. Or start from a model of the job's architecture."
        got = now.get(name, ABSENT)
        require(got == value, name, rule, got=got, where=where, remedy=remedy)
    same, rule = start["adapters"] in (None, wanted["adapters"]), f"be those of the start model, {start['adapters']}"
    remedy = "Leave adapters out; or export the model, which merges them, and start from its Hugging Face folder."
    require(same, "adapters", rule, got=wanted["adapters"], where=where, remedy=remedy)


def require_same_tokens(wanted: Mapping[str, Any], start_hash: str, *, where: str) -> None:
    """Refuses a vocabulary, or a tokenizer, with other files than those that the finished model was trained with.

    Args:
        wanted: configuration of the model.
        start_hash: sha256 of the finished model's vocabulary.
        where: the finished model, for the message.

    Raises:
        InputError: naming both hashes.
    """
    found, remedy = vocabulary_hash(find_vocabulary(wanted["vocabulary"])), "Use the start model's vocabulary files."
    rule = f"have the sha256 of the start model's, {start_hash[:12]}…"
    require(found == start_hash, "vocabulary", rule, got=f"{found[:12]}…", where=where, remedy=remedy)


def leaves(configuration: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The settings by name, those of an encoder as ``image_encoder.hidden_size``; whether it is frozen is left out."""
    for name, value in configuration.items():
        if isinstance(value, Mapping) and name.endswith("_encoder"):
            yield from ((f"{name}.{key}", one) for key, one in value.items() if key != "frozen")
        else:
            yield name, value
