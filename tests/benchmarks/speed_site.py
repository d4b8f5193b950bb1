"""A site with random studies, and one round of its work: what the speed of training is measured on.

    python -m tests.benchmarks.speed_site '{"method": "fedaid", "steps": [2, 2]}'

prints the peak of the process's memory in MiB after a round, and before it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

import admin  # noqa: F401 (it puts fedaid on the path)
from fedaid.data.dataset import StudyDataset
from fedaid.data.manifest import Study
from fedaid.data.site_data import SiteData
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.vocabulary import load_tokenizer
from fedaid.training.settings import TrainingSettings
from fedaid.training.site_worker import SiteWorker
from tests.benchmarks.machine import peak_mib

ROOT = Path(__file__).parents[2]
WORDS = "the heart lungs are clear no pleural effusion or focal opacity in left lower lobe seen".split()  # noqa: SIM905
MIDDLE: dict[str, Any] = {  # large enough that activations, not the interpreter, fill the memory
    "image_encoder": {"name": "vit", "hidden_size": 256, "num_hidden_layers": 6, "intermediate_size": 1024},
    "text_encoder": {"name": "bert", "hidden_size": 256, "num_hidden_layers": 4, "intermediate_size": 1024},
    "image_size": 96,
    "max_tokens": 80,
}


def job_model(job: str = "fedaid_pretrain") -> dict[str, Any]:
    """The model of a job as it stands."""
    server = json.loads((ROOT / "jobs" / job / "app/config/config_fed_server.json").read_text())
    options: dict[str, Any] = server["components"][0]["args"]["model"]["args"]
    return options


def job_settings(job: str = "fedaid_pretrain", **changes: Any) -> TrainingSettings:
    """The training settings of a job as it stands, on one thread."""
    client = json.loads((ROOT / "jobs" / job / "app/config/config_fed_client.json").read_text())
    return replace(TrainingSettings(**client["executors"][0]["executor"]["args"]), threads=1, **changes)


def random_split(studies: int, model: DualEncoder, seed: int) -> StudyDataset:
    """Studies with random pictures and reports of 20 to 70 words."""
    rng = np.random.default_rng(seed)
    size, tokens = model.configuration["image_size"], model.configuration["max_tokens"]
    texts = [" ".join(rng.choice(WORDS, rng.integers(20, 70))) for _ in range(studies)]
    made = {
        row: Study(line=row, patient_id=str(row), image=Path(), text=text, split="train", labels=())
        for row, text in enumerate(texts)
    }
    pixels = rng.random((studies, size, size), dtype=np.float32).astype(np.float16)
    return StudyDataset(made, pixels, load_tokenizer(max_tokens=tokens))


def site(model: dict[str, Any], settings: TrainingSettings, *, studies: int = 280) -> SiteWorker:
    """A worker with ``studies`` to train on and 40 each to validate and test on."""
    torch.set_num_threads(1)
    encoder = DualEncoder(**model)
    splits = {name: random_split(count, encoder, count) for name, count in (("train", studies), ("valid", 40))}
    return SiteWorker(encoder, SiteData(**splits, test=splits["valid"], skipped={}), settings, site="site")


def settings_of(method: str, *, steps: tuple[int, int], **changes: Any) -> TrainingSettings:
    """``fedaid`` with T1 and T2 steps, or ``fedavg`` with as many in one phase; the rest as the method's job has it."""
    if method == "fedavg":
        return job_settings("fedavg_pretrain", **{"align_steps": 0, "pretrain_steps": sum(steps), **changes})
    return job_settings(**{"align_steps": steps[0], "pretrain_steps": steps[1], **changes})


def a_round(worker: SiteWorker, number: int) -> None:
    """What a site does in a round, the messages left out: the encoders are loaded anew as from the server.

    A model of the round before that is still to be measured is measured then.
    """
    worker.load(worker.tensors())
    worker.validate("valid")
    worker.align(round_number=number)
    worker.pretrain(round_number=number)


def main() -> None:
    """Prints the peaks after and before a round."""
    given = json.loads(sys.argv[1])
    studies, model = given.pop("studies", 280), given.pop("model", MIDDLE)
    worker = site(model, settings_of(given.pop("method"), steps=tuple(given.pop("steps")), **given), studies=studies)
    before = peak_mib()
    a_round(worker, 0)
    print(json.dumps({"peak": peak_mib(), "before": before}))


if __name__ == "__main__":
    main()
