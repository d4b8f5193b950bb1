"""The data of a site: its three splits, and the number of skipped studies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from fedaid.data.cache import ImageCache, cached_images
from fedaid.data.dataset import StudyDataset
from fedaid.data.manifest import read_manifest
from fedaid.data.pixels.decode_pool import Check, keep_going


@dataclass(frozen=True)
class SiteData:
    """Train, valid and test splits by patient, and reason → number of skipped studies."""

    train: StudyDataset
    valid: StudyDataset
    test: StudyDataset
    skipped: Mapping[str, int]


def load_site_data(
    root: Path, *, cache: Path, image_size: int, tokenizer: Tokenizer, check: Check = keep_going
) -> SiteData:
    """Reads a site's manifest, reports and images.

    Args:
        root: the site's data folder, with ``manifest.csv``.
        cache: folder of decoded images, at the site.
        image_size: S in pixels.
        tokenizer: of the model's vocabulary.
        check: called while images are decoded for the first time; if it raises, decoding ends.

    Raises:
        InputError: for an invalid manifest. An unusable study is skipped and counted.
    """
    manifest = read_manifest(root)
    images = cached_images(manifest.studies, cache, image_size=image_size, check=check)
    splits = {name: split_of(images, name, tokenizer) for name in ("train", "valid", "test")}
    return SiteData(**splits, skipped=dict(Counter(manifest.skipped) + Counter(images.skipped)))


def split_of(images: ImageCache, name: str, tokenizer: Tokenizer) -> StudyDataset:
    """The studies of one split."""
    studies = {row: study for row, study in images.studies.items() if study.split == name}
    return StudyDataset(studies, images.pixels, tokenizer)
