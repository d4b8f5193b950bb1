"""Leave one site out, in the simulator: two sites train, the third evaluates the model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from admin.federation.simulate import simulate
from admin.jobs.methods import loop_settings
from admin.jobs.settings import values_by_name
from admin.study.compare.judge import hits
from admin.study.compare.sites import read_sites
from fedaid.flare.store.run_ledger import OPEN
from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.validation import embed
from tests.integration.conftest import MODEL, small_job

pytestmark = pytest.mark.slow
TRAINING = ["lindental-university", "st-brigid-general"]


def test_the_unseen_site_trains_nothing_and_its_recall_is_that_of_the_delivered_model(
    consortium: Path, tmp_path: Path
) -> None:
    (unseen,) = sorted({path.name for path in consortium.iterdir()} - {*TRAINING})
    job = small_job(tmp_path / "jobs", sites=2, num_rounds=1, unseen_site=unseen, task_timeout=500)
    store = (
        simulate(job, workspace=tmp_path / "run", sites=[*TRAINING, unseen], data=consortium, timeout=540) / "fedaid"
    )
    found = json.loads((store / "results.json").read_text())
    assert set(found["site_weights"]) == set(found["pairs"]) == set(found["best"]) == set(TRAINING)
    lines = [json.loads(line) for line in (store / "ledger.jsonl").read_text().splitlines()]
    asked = {line["phase"] for line in lines if line["kind"] == OPEN and unseen in line["sites"]}
    assert asked == {"validate"}

    torch.set_num_threads(1)
    model = DualEncoder(**MODEL, seed=loop_settings("fedaid", values_by_name(job)).training.seed)
    model.load_state_dict(load_file(store / found["model"] / "model.safetensors"))
    data = read_sites({unseen: consortium / unseen}, model.configuration, cache=tmp_path / "cache")
    test = data.test_sets()[unseen]
    points = float(hits(embed(model, test.dataset, batch_size=64), test).points())
    assert 100 * found["unseen"][unseen]["test"]["recall_at_5"] == pytest.approx(points)
