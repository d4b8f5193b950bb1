"""The hospitals of the demo: exports of the twin, made into site datasets as ``python -m admin prepare`` does."""

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
"""The first seed whose keys leave every demo hospital a batch to train on, and one to validate and to test on."""


@dataclass(frozen=True)
class PreparedSite:
    """A hospital's dataset, and how many studies and how many unusable things ``prepare`` found."""

    name: str
    root: Path
    studies: int
    quarantined: int


def prepare_sites(exports: Mapping[str, Path], out: Path, *, image_size: int) -> Iterator[PreparedSite]:
    """Yield the site datasets ``<out>/<name>``, each as soon as it is made.

    Args:
        exports: where each hospital's reports lie; its images lie beside them, in ``images``.
        out: of the datasets; made if absent.
        image_size: S of the job's model, in pixels.

    Raises:
        RuntimeError: naming the site, if its export cannot be prepared.
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

    A hospital lets ``prepare`` draw its key, which is secret. The twin's patients are nobody, and pseudonyms and splits
    follow from the key: one that follows from a seed makes the demo the same, bit for bit, in every run.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(folder / "key", hashlib.sha256(f"fedaid demo {seed} {name}".encode()).hexdigest() + "\n")
    return folder / "key"
