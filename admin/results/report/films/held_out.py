"""The test studies of sites whose data are on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fedaid.data.cache import cached_images
from fedaid.data.dataset import StudyDataset
from fedaid.data.manifest import FILE_NAME, read_manifest
from fedaid.data.site_data import split_of
from fedaid.errors import require
from fedaid.models.vocabulary import find_vocabulary, load_tokenizer


@dataclass(frozen=True)
class HeldOut:
    """A site's test split.

    Attributes:
        dataset: its N studies as model input.
        texts: their N reports.
        rows: their N rows of ``pixels``.
        pixels: float16 (M, S, S) in [0, 1], memory-mapped.
    """

    dataset: StudyDataset
    texts: tuple[str, ...]
    rows: tuple[int, ...]
    pixels: NDArray[np.float16]

    def picture(self, number: int) -> NDArray[np.float32]:
        """Return the image (S, S) of a study."""
        found: NDArray[np.float32] = self.pixels[self.rows[number]].astype(np.float32)
        return found


def site_folders(folder: Path, *, option: str = "--sites") -> dict[str, Path]:
    """Return name → data folder: of the given site, or of every site that has a folder in the given folder.

    Args:
        folder: of one site, or of several.
        option: the argument that named the folder, for the message.

    Raises:
        InputError: if no folder holds a manifest.
    """
    if (folder / FILE_NAME).is_file():
        return {folder.resolve().name: folder}
    found = {path.name: path for path in sorted(folder.glob("*")) if (path / FILE_NAME).is_file()}
    remedy = "Give the folder of a prepared site, or a folder that holds such folders."
    rule = f"hold {FILE_NAME} of a site"
    require(bool(found), option, rule, got="a folder without it", where=str(folder), remedy=remedy)
    return found


def read_held_out(root: Path, cache: Path, configuration: Mapping[str, Any]) -> HeldOut:
    """Return the test studies of one site as input of a model with this configuration.

    Args:
        root: the site's data folder.
        cache: folder for decoded images, used if the site is not prepared.
        configuration: constructor arguments of the model.

    Raises:
        InputError: if the manifest cannot be used, or the images were prepared at another size.
    """
    images = cached_images(read_manifest(root).studies, cache, image_size=configuration["image_size"])
    vocabulary = find_vocabulary(configuration["vocabulary"])
    tokenizer = load_tokenizer(vocabulary, max_tokens=configuration["max_tokens"])
    chosen = {row: study for row, study in images.studies.items() if study.split == "test"}
    texts = tuple(study.text for study in chosen.values())
    return HeldOut(split_of(images, "test", tokenizer), texts, tuple(chosen), images.pixels)
