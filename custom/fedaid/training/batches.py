"""The batches of a phase."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from fedaid.data.dataset import Batch, Draw, Sample, StudyDataset, collate
from fedaid.training.settings import TrainingSettings


def shuffled_rows(studies: int, *, batch_size: int, steps: int, seed: int) -> list[NDArray[np.int64]]:
    """Rows of ``steps`` batches: epochs in random order, each without its incomplete last batch.

    Args:
        studies: N, at least ``batch_size``, so that no batch has a study twice.

    Returns:
        ``steps`` arrays of shape (B,).

    Raises:
        ValueError: if there are fewer studies than ``batch_size``.
    """
    if studies < batch_size:
        raise ValueError(f"studies must fill a batch of {batch_size}, got {studies}: shuffled_rows")
    generator = np.random.default_rng(seed)
    batches: list[NDArray[np.int64]] = []
    while len(batches) < steps:
        order = generator.permutation(studies)
        batches += [order[start : start + batch_size] for start in range(0, studies - batch_size + 1, batch_size)]
    return batches[:steps]


def round_rows(studies: int, settings: TrainingSettings, *, seed: int) -> list[NDArray[np.int64]]:
    """Rows of the batches of a round; both phases use them from the first one on.

    So the alignment phase encodes the samples that the teacher needs first.

    Returns:
        One array of shape (B,) for each step of the longer phase.
    """
    steps = max(settings.align_steps, settings.pretrain_steps)
    return shuffled_rows(studies, batch_size=settings.batch_size, steps=steps, seed=seed)


def training_batches(
    dataset: StudyDataset, step_rows: Sequence[NDArray[np.int64]], *, seed: int, workers: int = 0
) -> Iterator[Batch]:
    """Augmented batches of these rows; equal for equal seeds, with any number of workers."""
    draws = [[Draw(int(r), seed_of(seed, step, int(r))) for r in batch] for step, batch in enumerate(step_rows)]
    return load(dataset, draws, workers=workers)


def plain_batches(dataset: StudyDataset, rows: NDArray[np.int64], *, batch_size: int) -> Iterator[Batch]:
    """Batches of these rows without augmentation, in their order; the last may be smaller."""
    chunks = [rows[start : start + batch_size] for start in range(0, len(rows), batch_size)]
    return load(dataset, [[Draw(int(row), None) for row in chunk] for chunk in chunks])


def load(dataset: StudyDataset, draws: list[list[Draw]], *, workers: int = 0) -> Iterator[Batch]:
    """Batches of these draws. Loading does not use torch's global generator, so dropout does not depend on it."""
    loader: DataLoader[Sample] = DataLoader(
        dataset, batch_sampler=draws, collate_fn=collate, num_workers=workers, generator=torch.Generator()
    )
    return iter(loader)


def seed_of(run: int, *purpose: str | int) -> int:
    """A seed in [0, 2³²) from the run's seed and the names of its purpose."""
    text = "\x1f".join(str(part) for part in (run, *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
