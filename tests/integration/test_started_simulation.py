"""A job that starts from a finished model, in FLARE's simulator, against the same rounds in plain Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from admin.federation.simulate import simulate
from admin.jobs.methods import loop_settings
from admin.jobs.package import package_job
from admin.jobs.settings import values_by_name
from admin.jobs.start.started_job import Start
from admin.study.compare.rounds import ServerSettings, run_rounds
from admin.study.compare.sites import make_workers, read_sites
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.saved_model import save_model
from tests.integration.conftest import CONTROL, MODEL, TRAINING

pytestmark = [pytest.mark.slow, pytest.mark.long]
SITES = ["lindental-university", "st-brigid-general"]
MEMORY: dict[str, Any] = {"moon_weight": 1.0, "local_normalisation": True}


def test_a_run_from_a_finished_model_equals_the_plain_rounds_from_it(consortium: Path, tmp_path: Path) -> None:
    finished = DualEncoder(**MODEL | {"seed": 5, "temperature": 0.2})
    start = {name: tensor.numpy().copy() for name, tensor in finished.state_dict().items()}
    folder = tmp_path / "best-00002"
    folder.mkdir()
    save_model(folder, start, configuration=finished.configuration, vocabulary_hash=finished.vocabulary_hash)
    settings = TRAINING | CONTROL | MEMORY | {"min_clients": 2, "num_rounds": 2}
    job = package_job(
        "fedaid_pretrain", out=tmp_path / "jobs", settings=settings, start=Start(folder), sites=SITES, run_name="second"
    )
    store = simulate(job, workspace=tmp_path / "run", sites=SITES, data=consortium, timeout=540) / "fedaid"
    torch.set_num_threads(1)
    found = loop_settings("fedaid", values_by_name(job))
    data = read_sites({site: consortium / site for site in SITES}, finished.configuration, cache=tmp_path / "cache")
    workers = make_workers({site: data.data(site) for site in SITES}, MODEL, found.training)
    plain = run_rounds(workers, start, ServerSettings.of(found))
    on_flare = load_file(store / (store / "ROUND").read_text() / "model.safetensors")
    for name, tensor in plain.tensors.items():
        np.testing.assert_array_equal(on_flare[name], tensor, err_msg=name)
    results = json.loads((store / "results.json").read_text())
    assert results["start"]["name"] == "best-00002"
