"""A run that starts from a finished model; the model is in the job, its hash in the configuration."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fedaid.flare.server.persistor import tensors_of
from fedaid.flare.store.generation import read
from fedaid.flare.store.start_model import FOLDER
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.saved_model import save_model
from fedaid.models.tensor_names import is_alignment
from fedaid.sealed_folder import description, seal
from tests.flare.conftest import Federation

Arrays = dict[str, NDArray[Any]]
Started = Callable[..., Federation]


@pytest.fixture
def other(model_options: dict[str, Any]) -> Arrays:
    """The tensors of another model of the same architecture."""
    state = DualEncoder(**model_options | {"seed": 7, "temperature": 0.2}).state_dict()
    return {name: tensor.numpy() for name, tensor in state.items()}


@pytest.fixture
def started(tmp_path: Path, model_config: dict[str, Any], honest: Callable[..., Any], other: Arrays) -> Started:
    """A function that makes one job after another of the same run, each with the start model in its app."""
    made = iter(range(100))

    def make(towers_only: bool = False, tensors: Arrays | None = None, **settings: Any) -> Federation:
        app = tmp_path / f"app{next(made)}"
        (app / FOLDER).mkdir(parents=True)
        save_model(app / FOLDER, tensors or other, configuration={}, vocabulary_hash="")
        seal(app / FOLDER)
        sha256 = description(app / FOLDER / "model.safetensors")["sha256"]
        start = {"start_sha256": sha256[:24], "start_name": "pilot", "start_towers_only": towers_only}
        config = {"components": [{"id": "persistor", "args": start}]}
        (app / "config").mkdir()
        (app / "config" / "config_fed_server.json").write_text(json.dumps(config))
        answers = {site: honest(site) for site in ("site-a", "site-b")}
        settings = {"run_name": "run-one", "attempt": 1} | settings
        return Federation(app, dict(model_config), answers, kit=tmp_path / "kit", start=start, **settings)

    return make


def loaded(made: Federation) -> Arrays:
    made.start()
    assert made.engine.panics == []
    return tensors_of(made.controller._global_weights)


def test_a_new_run_starts_from_the_model_in_its_job(started: Started, other: Arrays) -> None:
    found = loaded(started())
    assert found.keys() == other.keys()
    assert all(np.array_equal(found[name], tensor) for name, tensor in other.items())


def test_with_towers_only_the_rest_is_the_configured_model(started: Started, other: Arrays, theta: Arrays) -> None:
    found = loaded(started(towers_only=True))
    for name, tensor in found.items():
        assert np.array_equal(tensor, (theta if is_alignment(name) else other)[name])
    assert not np.array_equal(found["log_logit_scale"], other["log_logit_scale"])


def test_states_settings_and_results_say_where_the_run_began(started: Started) -> None:
    made = started()
    made.run()
    sha256 = description(made.app / FOLDER / "model.safetensors")["sha256"]
    start = {"name": "pilot", "sha256": sha256, "towers_only": False}
    assert made.engine.panics == []
    files = [made.store / "results.json", *made.store.glob("*/state.json"), *made.store.glob("round-*/run.json")]
    assert len(files) == 4
    assert all(read(file)["start"] == start for file in files)
    assert "start_name" not in json.dumps(read(files[-1])["settings"])


def test_a_resume_wins_over_the_start_model(started: Started, other: Arrays) -> None:
    first = started(num_rounds=1)
    first.run()
    committed = first.persistor.open_store.newest.tensors()
    again = started(attempt=2)
    found = loaded(again)
    assert all(np.array_equal(found[name], tensor) for name, tensor in committed.items())
    assert not np.array_equal(found["log_logit_scale"], other["log_logit_scale"])


def test_a_job_of_the_run_with_another_start_model_is_refused(started: Started, theta: Arrays) -> None:
    started(num_rounds=1).run()
    for job, key in ((started(tensors=theta, attempt=2), "start_sha256"), (started(True), "start_towers_only")):
        job.run()
        (panic,) = job.engine.panics
        assert f"config_fed_server.components.persistor.args.{key}: " in panic
        assert job.communicator.asked == []


def test_a_damaged_or_changed_start_model_ends_the_job_in_one_line(started: Started, theta: Arrays) -> None:
    damaged, changed = started(run_name="two"), started(run_name="three")
    file = damaged.app / FOLDER / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    save_model(changed.app / FOLDER, theta, configuration={}, vocabulary_hash="")
    seal(changed.app / FOLDER)
    for made, reason in ((damaged, "model.safetensors differs from MANIFEST.json"), (changed, "must have sha256")):
        made.run()
        (panic,) = made.engine.panics
        assert reason in panic
        assert "\n" not in panic
        assert made.communicator.asked == []
