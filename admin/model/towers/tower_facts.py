"""What an imported tower is, as facts for a person and for JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from torch import nn

from admin.model.towers.downloaded_folder import TOKENIZER_SETTINGS, DownloadedFolder
from admin.model.towers.picked_tower import IMAGE, PickedTower
from admin.model.towers.tower_proof import TowerProof, channels_of, positions
from fedaid.models.own_tokenizer import own_tokenizer
from fedaid.models.tower import AppendedBlock, LastBlock

WORDS = {
    "model_type": "model type",
    "parameters": "parameters",
    "image_size": "image size",
    "channels": "channels",
    "pixel_mean": "mean",
    "pixel_std": "standard deviation",
    "tokenizer": "tokenizer",
    "tokens": "tokens",
    "casing": "casing",
    "max_tokens": "longest text",
    "alignment_module": "alignment module",
    "pooling": "pooling",
    "weights": "weights from",
    "left": "left out",
    "licence": "licence",
    "licence_files": "licence files",
    "notes": "note",
    "cosine": "cosine",
}


def tower_facts(tower: PickedTower, proof: TowerProof, target: Path, source: DownloadedFolder) -> dict[str, Any]:
    """Return the facts of a tower that was written to ``target``, plain JSON."""
    parts, own = proof.parts, image_facts(proof) if tower.kind == IMAGE else text_facts(proof, target)
    count = sum(
        parameter.numel()
        for part in (parts.encoder, parts.block, parts.pooling or nn.Identity())
        for parameter in part.parameters()
    )
    return {
        "tower": tower.kind,
        "model_type": proof.choice.name,
        "parameters": count,
        **own,
        "alignment_module": alignment(proof),
        "pooling": proof.choice.pooling,
        "weights": list(tower.files),
        "left": list(tower.left),
        "licence": source.licence or "not named in README.md",
        "licence_files": [file.name for file in source.licence_files],
        "notes": list(tower.notes),
        "cosine": round(proof.cosine, 6),
        "largest_difference": proof.difference,
        "compared_with": tower.against,
    }


def image_facts(proof: TowerProof) -> dict[str, Any]:
    """Image size in pixels, channels, and the scale of grey values from 0 to 1."""
    options, scale = proof.choice.options, proof.choice.scale
    facts = {"image_size": options.get("image_size", "any"), "channels": channels_of(proof.choice)}
    return facts | {name: [round(v, 6) for v in values] for name, values in (scale.described if scale else {}).items()}


def text_facts(proof: TowerProof, target: Path) -> dict[str, Any]:
    """Kind and size of the tokenizer, its casing, and the longest text in tokens."""
    tokenizer, file = own_tokenizer(target), target / TOKENIZER_SETTINGS
    named = json.loads(file.read_text(encoding="utf-8")).get("tokenizer_class", "") if file.is_file() else ""
    normalizer = tokenizer.normalizer
    lowers = normalizer is not None and normalizer.normalize_str("A").strip("▁ ") == "a"
    return {
        "tokenizer": " ".join(filter(None, (named, type(tokenizer.model).__name__))),
        "tokens": tokenizer.get_vocab_size(),
        "casing": "lower-cases" if lowers else "keeps capitals",
        "max_tokens": positions(proof.choice),
    }


def alignment(proof: TowerProof) -> str:
    """What becomes the alignment module, beside its projection head."""
    block = proof.parts.block
    if isinstance(block, LastBlock):
        return "the last layer and a new projection head"
    if isinstance(block, AppendedBlock):
        return "an added block, at first the identity, and a new projection head"
    return "a new projection head alone"


def as_text(facts: dict[str, Any], folder: Path) -> str:
    """Return the facts as lines of text."""
    lines = [f"{facts['tower']} tower: {folder}"]
    for name, word in WORDS.items():
        if name in facts and facts[name] != []:
            lines.append(f"  {word + ':':<20}{shown(name, facts)}")
    return "\n".join(lines)


def shown(name: str, facts: dict[str, Any]) -> str:
    """Return one fact as text."""
    value = facts[name]
    if name == "cosine":
        return (
            f"{value:.4f}, with {facts['compared_with']} on a test {'picture' if facts['tower'] == IMAGE else 'text'}"
        )
    return (
        ", ".join(map(str, value)) if isinstance(value, list) else f"{value:,}" if name == "parameters" else str(value)
    )
