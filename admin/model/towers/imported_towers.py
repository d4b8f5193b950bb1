"""The import of a downloaded folder: all is written and compared beside the target, which appears at the end."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers.utils import logging

from admin.model.towers.checkpoint_state import LIBRARY_FILES
from admin.model.towers.dense_net import dense_net_state, dense_net_tower
from admin.model.towers.downloaded_folder import CONFIG, OPEN_CLIP, DownloadedFolder, opened
from admin.model.towers.library_towers import KNOWN, TIMM_REMEDY, library_towers
from admin.model.towers.open_clip.open_clip_towers import open_clip_towers
from admin.model.towers.picked_tower import PickedTower, without_other
from admin.model.towers.residual_net import residual_net_state, residual_net_tower
from admin.model.towers.torchvision_state import torchvision_state
from admin.model.towers.tower_facts import tower_facts
from admin.model.towers.tower_proof import prove
from admin.model.towers.written_tower import write_record, write_tower
from fedaid.errors import require

ARCHITECTURE = "architecture"
"""timm's name for it in config.json."""
PLAIN = re.compile(r"(tv_|gluon_)?(resnet(18|34|50|101|152)|densenet121)(_v1b)?(\.\w+)?")
"""timm's networks that compute what torchvision's do. Others have the same names of tensors, such as resnetblur50."""
PLAIN_OPTIONS = {"in_chans", "num_classes"}
"""Options of timm that leave the layers as they are, but for the first and the last."""


def import_towers(folder: Path, out: Path, *, kind: str | None = None) -> dict[Path, dict[str, Any]]:
    """Write the towers of a downloaded folder, and return what each is.

    Args:
        folder: from a model hub.
        out: a new folder: the tower itself, or, for both towers of a pair, a folder with ``image`` and ``text``.
        kind: the only tower to write, ``image`` or ``text``; None for all.

    Returns:
        Folder of each tower → its facts, plain JSON.

    Raises:
        InputError: for a folder that cannot be right, or an ``out`` that exists.
    """
    remedy = "Choose a new folder."
    free = not out.exists() and not out.is_symlink()
    require(free, "--out", "not exist yet", got=out, where="the command line", remedy=remedy)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    source = opened(folder)
    towers = chosen(source, towers_of(source, kind), kind)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".tower-", dir=out.parent) as work:
        written = Path(work) / out.name
        names = {Path(out.name, tower.kind) if len(towers) > 1 else Path(out.name): tower for tower in towers}
        facts = {out.parent / name: finished(tower, Path(work), name, source) for name, tower in names.items()}
        written.rename(out)
    return facts


def towers_of(source: DownloadedFolder, kind: str | None) -> list[PickedTower]:
    """The towers of a folder, by its layout; of a folder with both layouts, that of transformers."""
    named = source.settings(CONFIG).get("model_type") in KNOWN
    own = named and any((source.path / name).is_file() for name in LIBRARY_FILES)
    if not own and (source.path / OPEN_CLIP).is_file():
        return open_clip_towers(source, kind)
    return (None if named else torchvision_towers(source)) or library_towers(source)


def torchvision_towers(source: DownloadedFolder) -> list[PickedTower]:
    """The tower of a folder in torchvision's layout; empty for other folders.

    Raises:
        InputError: for a network of timm that computes something else with tensors of the same names.
    """
    state = torchvision_state(source)
    dense, residual = (state and dense_net_state(state)), (state and residual_net_state(state))
    if dense or residual:
        require_plain(source)
    if dense:
        return [dense_net_tower(source, dense)]
    return [residual_net_tower(source, residual)] if residual else []


def require_plain(source: DownloadedFolder) -> None:
    """An error if config.json names another network of timm, or changes its layers: the tensors do not show it."""
    given = source.settings(CONFIG)
    name, options = str(given.get(ARCHITECTURE)), given.get("model_args") or {}
    known = isinstance(options, Mapping) and not options.keys() - PLAIN_OPTIONS
    plain = ARCHITECTURE not in given or (PLAIN.fullmatch(name) is not None and known)
    rule, got = "be a plain ResNet or DenseNet121", f"{ARCHITECTURE} {name}, model_args {options}"[:200]
    source.require(plain, rule, got=got, remedy=TIMM_REMEDY)


def chosen(source: DownloadedFolder, towers: list[PickedTower], kind: str | None) -> list[PickedTower]:
    """The towers that were asked for; what is left out of one names the other."""
    found = [tower for tower in towers if kind in (None, tower.kind)]
    has = ", ".join(tower.kind for tower in towers)
    source.require(bool(found), f"have a tower for {kind}s", got=has, remedy="Leave out --tower.")
    return found if len(found) == len(towers) else [without_other(tower) for tower in found]


def finished(tower: PickedTower, work: Path, name: Path, source: DownloadedFolder) -> dict[str, Any]:
    """Write one tower below ``work`` and compare it; returns its facts."""
    write_tower(tower, work / name, source)
    proof = prove(tower, work, str(name))
    facts = tower_facts(tower, proof, work / name, source)
    write_record(work / name, facts)
    return facts
