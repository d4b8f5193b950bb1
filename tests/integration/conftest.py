"""A consortium and a job small enough to run for real in seconds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from admin.jobs.package import package_job
from admin.twin.consortium import DEMO_HOSPITALS, write_consortium

MODEL: dict[str, Any] = {
    "image_encoder": {"name": "resnet", "embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1]},
    "text_encoder": {"name": "bert", "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2},
    "image_size": 32,
    "embedding_dim": 16,
    "projection_hidden": 32,
    "max_tokens": 48,
}
TRAINING: dict[str, Any] = {
    "batch_size": 8,
    "valid_batch_size": 4,
    "align_steps": 3,
    "pretrain_steps": 4,
    "warmup_steps": 1,
    "threads": 1,
}
# Job settings are named without the component that they belong to; `seed` is at the model and at the training.
CONTROL: dict[str, Any] = {"num_rounds": 2, "wait_time_after_min_received": 5, "task_timeout": 120}


@pytest.fixture(scope="session")
def consortium(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one small hospital in each sub-folder: three unequal sites with names of their own."""
    folder = tmp_path_factory.mktemp("consortium")
    sizes = (60, 50, 40)
    hospitals = [replace(hospital, studies=size) for hospital, size in zip(DEMO_HOSPITALS, sizes, strict=True)]
    write_consortium(folder, hospitals=hospitals, image_size=64)
    return folder


def small_job(out: Path, *, sites: int, name: str = "fedaid_pretrain", **settings: Any) -> Path:
    """A packaged job with the small model; ``settings`` change it further."""
    return package_job(name, out=out, settings=MODEL | TRAINING | CONTROL | {"min_clients": sites} | settings)
