"""A split of a site's studies as a torch dataset, and batches of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor
from torch.utils.data import Dataset

from fedaid.data.augmentation import augment, to_model_range
from fedaid.data.manifest import Study


class Sample(NamedTuple):
    """One study: image (1, S, S) float32, token ids of its report (T,) int64, and the number of its text group."""

    image: Tensor
    token_ids: Tensor
    group: int


class Batch(NamedTuple):
    """B studies: images (B, 1, S, S), token_ids (B, T) padded with 0, mask (B, T) true at real tokens, groups (B,).

    Studies with the same text have the same number in ``groups``.
    """

    images: Tensor
    token_ids: Tensor
    mask: Tensor
    groups: Tensor

    @property
    def inputs(self) -> tuple[Tensor, Tensor, Tensor]:
        """The inputs of a model."""
        return self.images, self.token_ids, self.mask

    def to(self, device: torch.device) -> Batch:
        """The batch on another device."""
        return Batch(*(tensor.to(device) for tensor in self))


class Draw(NamedTuple):
    """The number of a study in a batch, and the seed of its augmentation.

    None means no augmentation. Then the whole batch must have none.
    """

    row: int
    seed: int | None


class StudyDataset(Dataset[Sample]):
    """Images and reports of one split.

    The augmentation of a sample depends on the draw's seed only, so the same draws give the same batches with any
    number of worker processes.

    Args:
        studies: row of ``pixels`` → study, the N studies of one split.
        pixels: float16 (M, S, S) in [0, 1], M at least N; may be memory-mapped.
        tokenizer: truncates a report to the greatest length.
    """

    def __init__(self, studies: Mapping[int, Study], pixels: NDArray[np.float16], tokenizer: Tokenizer) -> None:
        self._rows, self._pixels = list(studies), pixels
        self.token_ids = [torch.tensor(tokenizer.encode(study.text).ids) for study in studies.values()]
        self.text_groups = group_texts([study.text for study in studies.values()])
        self.cohort = cohort_of(list(studies.values()))

    def __len__(self) -> int:
        return len(self.token_ids)

    def __getitem__(self, draw: Draw) -> Sample:
        """The sample of a draw."""
        return self.__getitems__([draw])[0]

    def __getitems__(self, draws: Sequence[Draw]) -> list[Sample]:
        """The samples of all draws of a batch; torch's loader calls this method if a dataset has it."""
        rows = [self._rows[draw.row] for draw in draws]
        images = torch.from_numpy(np.stack([self._pixels[row] for row in rows]).astype(np.float32))[:, None]
        seeds = [draw.seed for draw in draws if draw.seed is not None]
        images = augment(images, seeds) if len(seeds) == len(draws) else to_model_range(images)
        groups = self.text_groups
        return [
            Sample(image, self.token_ids[draw.row], int(groups[draw.row]))
            for image, draw in zip(images, draws, strict=True)
        ]


def group_texts(texts: Sequence[str]) -> NDArray[np.int64]:
    """The group number of each text, (N,); texts that differ only in case and spacing are one group."""
    groups: dict[str, int] = {}
    return np.array([groups.setdefault(" ".join(text.lower().split()), len(groups)) for text in texts], dtype=np.int64)


def collate(samples: Sequence[Sample]) -> Batch:
    """A batch padded to its longest text."""
    token_ids = torch.nn.utils.rnn.pad_sequence([sample.token_ids for sample in samples], batch_first=True)
    lengths = torch.tensor([len(sample.token_ids) for sample in samples])
    mask = torch.arange(token_ids.shape[1]) < lengths[:, None]
    groups = torch.tensor([sample.group for sample in samples])
    return Batch(torch.stack([sample.image for sample in samples]), token_ids, mask, groups)


@dataclass(frozen=True)
class Cohort:
    """N studies in the order of their split.

    Attributes:
        patients: (N,), equal for studies of one patient; numbered within the split.
        labels: the certain labels of each study.
        uncertain: the uncertain labels of each study.
        groups: "sex", "age" or "view" → group of each study, empty if unknown.
    """

    patients: NDArray[np.int64]
    labels: tuple[tuple[str, ...], ...]
    uncertain: tuple[tuple[str, ...], ...]
    groups: Mapping[str, tuple[str, ...]]


def cohort_of(studies: Sequence[Study]) -> Cohort:
    """The cohort of these studies, in their order."""
    numbers: dict[str, int] = {}
    patients = [numbers.setdefault(study.patient_id, len(numbers)) for study in studies]
    return Cohort(
        patients=np.array(patients, dtype=np.int64),
        labels=tuple(study.labels for study in studies),
        uncertain=tuple(study.uncertain for study in studies),
        groups={
            "sex": tuple(study.sex for study in studies),
            "age": tuple(study.age for study in studies),
            "view": tuple(study.view for study in studies),
        },
    )
