"""What the teacher's view costs in quality: paired runs in plain Python on the twin.

python -m tests.benchmarks.teacher_view FOLDER --seeds 8 --rounds 8
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from admin.study.compare.rounds import ServerSettings, Tensors, run_rounds
from admin.study.compare.sites import make_workers, read_sites
from admin.twin.consortium import DEMO_HOSPITALS, write_consortium
from fedaid.evaluation.retrieval import retrieval
from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.settings import TrainingSettings
from fedaid.training.site_worker import SiteWorker
from tests.benchmarks.quality.plan import MODEL

STUDIES = (260, 200, 160)
TRAINING = TrainingSettings(
    batch_size=16, valid_batch_size=16, align_steps=8, pretrain_steps=24, learning_rate=1e-3, threads=1
)


def consortium(folder: Path) -> dict[str, Path]:
    """site → data root of three unequal synthetic hospitals."""
    if not folder.exists():
        hospitals = [replace(h, studies=n) for h, n in zip(DEMO_HOSPITALS, STUDIES, strict=True)]
        write_consortium(folder, hospitals=hospitals, image_size=64, seed=0)
    return {hospital.name: folder / hospital.name for hospital in DEMO_HOSPITALS}


def quality(workers: dict[str, SiteWorker], theta: Tensors) -> dict[str, float]:
    """Mean and worst recall at 5 in percent and mean loss over the sites' validation and test splits together."""
    recalls, losses = [], []
    for worker in workers.values():
        worker.load(theta)
        for split in worker.splits:
            found = worker.validate(split)
            image, text = (embeddings.numpy() for embeddings in found.embeddings)
            measured = retrieval(image, text, worker.splits[split].text_groups)
            recalls.append(100 * measured["recall_at_5"])
            losses.append(found.loss)
    by_site = np.reshape(recalls, (len(workers), -1)).mean(axis=1)
    return {"mean": float(by_site.mean()), "worst": float(by_site.min()), "loss": float(np.nanmean(losses))}


def main() -> None:
    """Prints one line of JSON for each run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=8)
    given = parser.parse_args()
    torch.set_num_threads(1)
    sites = read_sites(
        consortium(given.folder / "twin"), DualEncoder(**MODEL).configuration, cache=given.folder / "cache"
    )
    data = {site: sites.data(site) for site in sites.images}
    for seed in range(given.seeds):
        for weight in (0.1, 1.0):
            for view in ("kept", "fresh"):
                settings = replace(TRAINING, seed=seed, teacher_view=view, binding_weight=weight)
                workers = make_workers(data, {**MODEL, "seed": seed}, settings)
                start = next(iter(workers.values())).tensors()
                outcome = run_rounds(workers, start, ServerSettings(given.rounds))
                found = quality(workers, outcome.tensors)
                print(json.dumps({"seed": seed, "weight": weight, "view": view} | found), flush=True)


if __name__ == "__main__":
    main()
