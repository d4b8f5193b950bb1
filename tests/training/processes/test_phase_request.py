from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.processes.data_folders import DataFolders
from fedaid.training.processes.phase_request import PhaseRequest, read_request, read_update, write_update
from fedaid.training.settings import TrainingSettings
from fedaid.training.site_worker import LocalUpdate
from fedaid.training.trainer import PhaseLosses


@pytest.fixture
def request_of_a_phase(model: DualEncoder, settings: TrainingSettings) -> PhaseRequest:
    return PhaseRequest(
        task="align",
        site="north",
        round_number=3,
        settings=replace(settings, align_learning_rate=None, processes=2),
        configuration=model.configuration,
        folders=DataFolders(Path("/data/{x}"), Path("/cache")),
        studies=25,
    )


def test_a_request_comes_back_as_it_was(request_of_a_phase: PhaseRequest, tmp_path: Path) -> None:
    start = {"a": np.arange(6, dtype=np.float32).reshape(2, 3).T, "count": np.array(7)}
    request_of_a_phase.write(tmp_path, start, site_tensors={"kept": np.arange(3)})
    found, tensors, own = read_request(tmp_path)
    assert found == request_of_a_phase
    assert [(name, array.tolist()) for name, array in own.items()] == [("kept", [0, 1, 2])]
    assert tensors.keys() == start.keys()
    for name, array in start.items():
        np.testing.assert_array_equal(tensors[name], array)
        assert tensors[name].dtype == array.dtype


def test_an_update_comes_back_as_it_was(tmp_path: Path) -> None:
    update = LocalUpdate({"a": np.ones((2, 3), np.float32)}, PhaseLosses(0.1 + 0.2, 1e-9, 0.5))
    write_update(tmp_path, update)
    found = read_update(tmp_path)
    assert found.losses == update.losses
    np.testing.assert_array_equal(found.delta["a"], update.delta["a"])


def test_nothing_is_written_that_runs_when_it_is_read(request_of_a_phase: PhaseRequest, tmp_path: Path) -> None:
    request_of_a_phase.write(tmp_path, {"a": np.ones(2)}, site_tensors={})
    write_update(tmp_path, LocalUpdate({"a": np.ones(2)}, PhaseLosses()))
    assert {file.suffix for file in tmp_path.iterdir()} == {".json", ".safetensors"}
