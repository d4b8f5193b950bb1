"""How long one step of local training takes on this machine, as a job sets it, on made-up pairs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from fedaid.data.dataset import StudyDataset
from fedaid.data.manifest import Study
from fedaid.data.site_data import SiteData
from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.settings import TrainingSettings
from fedaid.training.site_worker import SiteWorker

TIMED = 2  # steps


def measure_step(configuration: Mapping[str, Any], settings: TrainingSettings) -> float:
    """Return the seconds of a step of phase two, its share of all else in the phase included, after one to warm up.

    It is what a site does, on the device that it would take, with texts of full length of which none is seen twice. In
    one process: a site that spreads its batches over several needs less.

    Args:
        configuration: constructor arguments of the model.
        settings: the job's.
    """
    model = DualEncoder(**configuration)
    studies = max(TIMED * settings.batch_size, settings.valid_batch_size)
    split = made_up(studies, image_size=model.configuration["image_size"], tokens=model.configuration["max_tokens"])
    few = replace(settings, align_steps=0, pretrain_steps=TIMED, report_student_loss=False)
    worker = SiteWorker(model, SiteData(train=split, valid=split, test=split, skipped={}), few, site="made-up")
    with threads(settings.threads):
        worker.pretrain(round_number=settings.binding_warmup_rounds)
        begin = time.perf_counter()
        worker.pretrain(round_number=settings.binding_warmup_rounds + 1)
        return (time.perf_counter() - begin) / TIMED


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch compute on so many threads inside the block; 0 leaves its choice."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def made_up(studies: int, *, image_size: int, tokens: int) -> StudyDataset:
    """Return random pictures with texts that differ and are all as long as a text may be."""
    tokenizer = Tokenizer(WordLevel({"word": 5}, "word"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.enable_truncation(tokens)
    rows = {
        row: Study(
            line=row, patient_id=str(row), image=Path(), text=f"{row}{' word' * tokens}", split="train", labels=()
        )
        for row in range(studies)
    }
    pixels = np.random.default_rng(0).random((studies, image_size, image_size), dtype=np.float32)
    return StudyDataset(rows, pixels.astype(np.float16), tokenizer)
