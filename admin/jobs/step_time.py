"""Times one step of a job's local training on this machine, on made-up pairs."""

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
    """Return the seconds of a step of phase two, after one phase to warm up.

    A step's share of the phase's other work is included. The measured work is what a site does, on the device that it
    would use, with texts of full length and no text twice. It runs in one process: a site that spreads its batches
    over several processes needs less.

    Args:
        configuration: constructor arguments of the model.
        settings: of the job's local training.
    """
    model = DualEncoder(**configuration)
    studies = max(TIMED * settings.batch_size, settings.valid_batch_size)
    image_size, tokens = (model.configuration[name] for name in ("image_size", "max_tokens"))
    split = made_up_pairs(studies, image_size=image_size, tokens=tokens)
    few = replace(settings, align_steps=0, pretrain_steps=TIMED, report_student_loss=False)
    worker = SiteWorker(model, SiteData(train=split, valid=split, test=split, skipped={}), few, site="made-up")
    with threads(settings.threads):
        worker.pretrain(round_number=settings.binding_warmup_rounds)
        begin = time.perf_counter()
        worker.pretrain(round_number=settings.binding_warmup_rounds + 1)
        return (time.perf_counter() - begin) / TIMED


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch use this many threads inside the block; 0 leaves the number to torch."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def made_up_pairs(studies: int, *, image_size: int, tokens: int) -> StudyDataset:
    """Return random pictures with texts that all differ and have the greatest length."""
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
