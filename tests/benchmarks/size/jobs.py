"""The jobs of the size benchmark, and their sites."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from admin.jobs.cost import ModelSize, model_size
from admin.jobs.folder import config_files, read_object, write_object
from admin.jobs.forecast import MODEL
from admin.jobs.package import package_job
from admin.jobs.start.hospital_preset import TOWERS, VALUES, WITH_ADAPTERS, tower_settings
from tests.benchmarks.simulated_run import write_sites
from tests.integration.conftest import MODEL as TINY

SITES = 2
STUDIES = 60
TOWER = {"hidden_size": 256, "intermediate_size": 1024, "num_hidden_layers": 12, "num_attention_heads": 4}
SMALL: dict[str, Any] = {  # a third of the width of ViT-B/16 and BERT-base, and as many tokens for each unit of width
    "image_encoder": {"name": "vit", "patch_size": 16} | TOWER,
    "text_encoder": {"name": "bert"} | TOWER,
    "image_size": 128,
    "embedding_dim": 48,
    "projection_hidden": 680,
    "max_tokens": 40,
}
TRAINING: dict[str, Any] = {"batch_size": 8, "valid_batch_size": 4, "warmup_steps": 1, "threads": 1}
ROUNDS = {"num_rounds": 2, "align_steps": 1, "pretrain_steps": 2, "min_clients": SITES}
PATIENCE = 900.0  # seconds
CONTROL: dict[str, Any] = {"wait_time_after_min_received": 3600, "task_timeout": 3600}


@dataclass(frozen=True)
class Scale:
    """What is measured.

    Attributes:
        model: settings of the model.
        repeats: pairs of jobs with few and many sites.
        many: sites of the larger one.
    """

    model: Mapping[str, Any]
    repeats: int
    many: int


REAL, COUSIN = Scale(MODEL, repeats=3, many=12), Scale(SMALL, repeats=1, many=6)


def variants(model: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Settings by name: a model without size for what the processes take by themselves, all trained, and the preset.

    The preset asks for pretrained towers. Random ones take the same memory and time.
    """
    towers = {name: tower_settings(name, model[name], adapted=False, pretrained=True) for name in TOWERS}
    return {
        "interpreter": dict(TINY),
        "trained": dict(model),
        "frozen": {**model, **towers, **VALUES},
        "adapters": {**model, **VALUES, **WITH_ADAPTERS, "adapters": {"rank": 8}},
    }


def packaged(out: Path, settings: Mapping[str, Any]) -> Path:
    """A job of FedAID with these settings; its sites wait long for a server that starts slowly on a busy machine."""
    job = package_job("fedaid_pretrain", out=out, settings={**TRAINING, **ROUNDS, **CONTROL, **settings})
    client = config_files(job)[1]
    write_object(client, read_object(client) | {"max_runner_sync_timeout": PATIENCE})
    return job


def write_data(folder: Path) -> list[str]:
    """Data of the sites; returns their names."""
    return write_sites(folder, SITES, studies=STUDIES)


def size_of(model: Mapping[str, Any]) -> ModelSize:
    """Bytes of the model."""
    return model_size({"vocabulary": "radiology", **model})
