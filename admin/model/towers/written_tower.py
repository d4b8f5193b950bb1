"""Writes a tower to a folder that ``local:`` encoders load: safetensors, configuration, and what else it needs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from admin.model.towers.canonical_tokenizer import write_canonical_tokenizer
from admin.model.towers.downloaded_folder import PROCESSOR, DownloadedFolder
from admin.model.towers.picked_tower import IMAGE, PickedTower
from fedaid.models.own_tokenizer import tokenizer_files
from fedaid.models.pooling import SENTENCE_FILE

RECORD = "tower.json"


def write_tower(tower: PickedTower, target: Path, source: DownloadedFolder) -> None:
    """Write the tower to a new folder, with its image processor or tokenizer, and with the licence.

    Raises:
        InputError: for an image tower without processor, or a text tower without tokenizer.
    """
    target.mkdir(parents=True)
    tower.module.save_pretrained(target)
    if tower.kind == IMAGE:
        rule, remedy = f"have a {PROCESSOR}", "Copy the file of the model that it was trained from."
        source.require(bool(tower.processor), rule, got="no settings of an image processor", remedy=remedy)
        (target / PROCESSOR).write_text(json.dumps(tower.processor, indent=1) + "\n", encoding="utf-8")
    else:
        files = tokenizer_files(source.path)
        rule, got = "have the text tower's tokenizer", "no tokenizer.json, vocab.txt, or vocab.json with merges.txt"
        remedy = "Download its files, too, or import the image tower alone: --tower image."
        source.require(bool(files), rule, got=got, remedy=remedy)
        if tower.canonical:
            write_canonical_tokenizer(source, target)
        for file in () if tower.canonical else files:
            shutil.copyfile(file, target / file.name)
        write_pooling(tower, target, source)
    for file in source.licence_files:
        shutil.copyfile(file, target / file.name)


def write_pooling(tower: PickedTower, target: Path, source: DownloadedFolder) -> None:
    """Write how a text tower pools its tokens, if its layout says so."""
    stated = source.path / SENTENCE_FILE
    if not tower.pooling and not stated.is_file():
        return
    (target / SENTENCE_FILE).parent.mkdir()
    if tower.pooling:
        (target / SENTENCE_FILE).write_text(json.dumps({f"pooling_mode_{tower.pooling}": True}), encoding="utf-8")
    else:
        shutil.copyfile(stated, target / SENTENCE_FILE)


def write_record(target: Path, facts: dict[str, Any]) -> None:
    """Write what the tower is and where it came from."""
    (target / RECORD).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
