"""The data of every site on one machine: for the training of its worker and for the test of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fedaid.data.cache import ImageCache, cached_images
from fedaid.data.dataset import StudyDataset
from fedaid.data.manifest import Study, read_manifest
from fedaid.data.site_data import SiteData
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.vocabulary import find_vocabulary, load_tokenizer
from fedaid.training.settings import TrainingSettings
from fedaid.training.site_worker import SiteWorker

SPLITS = ("train", "valid", "test")
POOLED = "pooled"  # name of the single site with the data of all sites


@dataclass(frozen=True)
class EvaluationSet:
    """The studies for a model's test.

    Attributes:
        dataset: N studies.
        patients: (N,) number of each study's patient.
    """

    dataset: StudyDataset
    patients: NDArray[np.int64]


@dataclass(frozen=True)
class Sites:
    """Decoded images and reports of several sites.

    Attributes:
        images: site → its studies of all splits.
        configuration: configuration of the model that uses them.
    """

    images: Mapping[str, ImageCache]
    configuration: Mapping[str, Any]

    def data(self, site: str) -> SiteData:
        """Return a site's three splits."""
        splits = {split: self._split(self.images[site], split) for split in SPLITS}
        return SiteData(**splits, skipped=self.images[site].skipped)

    def pooled(self) -> SiteData:
        """Return the splits of all sites together, as one site."""
        pixels = np.concatenate([images.pixels for images in self.images.values()])
        studies: dict[int, Study] = {}
        start = 0
        for images in self.images.values():
            studies |= {start + row: study for row, study in images.studies.items()}
            start += len(images.pixels)
        together = ImageCache(pixels, studies, {})
        return SiteData(**{split: self._split(together, split) for split in SPLITS}, skipped={})

    def test_sets(self) -> dict[str, EvaluationSet]:
        """Return site → its test split."""
        return {site: self._test_set(images) for site, images in self.images.items()}

    def _test_set(self, images: ImageCache) -> EvaluationSet:
        ids = [study.patient_id for study in images.studies.values() if study.split == "test"]
        return EvaluationSet(self._split(images, "test"), np.unique(ids, return_inverse=True)[1])

    def _split(self, images: ImageCache, split: str) -> StudyDataset:
        vocabulary = find_vocabulary(self.configuration["vocabulary"])
        tokenizer = load_tokenizer(vocabulary, max_tokens=self.configuration["max_tokens"])
        studies = {row: study for row, study in images.studies.items() if study.split == split}
        return StudyDataset(studies, images.pixels, tokenizer)


def read_sites(roots: Mapping[str, Path], configuration: Mapping[str, Any], *, cache: Path) -> Sites:
    """Read and decode the data of every site; images that are in ``cache`` are not decoded again.

    Args:
        roots: site → data root, a folder with ``manifest.csv``.
        configuration: the model's full configuration.
        cache: a folder for decoded images.

    Raises:
        InputError: a manifest is invalid.
    """
    size = configuration["image_size"]
    return Sites(
        {
            site: cached_images(read_manifest(root).studies, cache / site, image_size=size)
            for site, root in roots.items()
        },
        configuration,
    )


def make_workers(
    data: Mapping[str, SiteData], model: Mapping[str, Any], settings: TrainingSettings, *, folder: Path | None = None
) -> dict[str, SiteWorker]:
    """Return a worker for each site, each with a separate model.

    Args:
        data: site → its splits.
        model: constructor arguments of the model.
        settings: settings of the sites' training.
        folder: folder for the workers' files.
    """
    return {
        site: SiteWorker(DualEncoder(**model), splits, settings, site=site, folder=folder)
        for site, splits in data.items()
    }
