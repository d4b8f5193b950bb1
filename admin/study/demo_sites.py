"""The hospitals of the demo: turn exports of the twin into site datasets like ``python -m admin prepare``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from admin.site.prepare.site_dataset import Export, prepare
from fedaid.atomic_file import write_private
from fedaid.errors import InputError

KEY_SEED = 0
"""The first seed whose keys give each demo hospital at least one batch in every split."""


@dataclass(frozen=True)
class PreparedSite:
    """A hospital's dataset, and the number of studies and of quarantined files that ``prepare`` found."""

    name: str
    root: Path
    studies: int
    quarantined: int


def prepare_sites(exports: Mapping[str, Path], out: Path, *, image_size: int) -> Iterator[PreparedSite]:
    """Yield the site datasets ``<out>/<name>``, each as soon as it is ready.

    Args:
        exports: hospital → path of its reports; its images are in the folder ``images`` beside them.
        out: parent folder of the datasets; made if absent.
        image_size: S of the job's model, in pixels.

    Raises:
        RuntimeError: an export cannot be prepared; the message names the site.
    """
    for name, reports in exports.items():
        yield prepare_site(name, reports, out / name, image_size=image_size)


def prepare_site(name: str, reports: Path, root: Path, *, image_size: int) -> PreparedSite:
    """Prepare one hospital's export; see :func:`prepare_sites`."""
    key = write_key(root / "private", name)
    try:
        export = Export(reports.parent / "images", root, reports=reports, key=key, image_size=image_size)
        result: dict[str, Any] = prepare(export)
    except InputError as error:
        result = {"error": error}
    if "error" in result:
        raise RuntimeError(f"{name} could not be prepared: {result['error']}")
    return PreparedSite(name, root, result["studies"], sum(result["quarantined"].values()))


def write_key(folder: Path, name: str, *, seed: int = KEY_SEED) -> Path:
    """Write a demo hospital's pseudonym key and return its file.

    A real hospital lets ``prepare`` draw a secret key. The twin's patients are synthetic, so the demo derives the key
    from a seed. The key determines pseudonyms and splits, so every run of the demo is the same, bit for bit.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(folder / "key", hashlib.sha256(f"fedaid demo {seed} {name}".encode()).hexdigest() + "\n")
    return folder / "key"
