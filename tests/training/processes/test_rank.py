from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fedaid.data.site_data import SiteData
from fedaid.errors import InputError
from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.processes.data_folders import DataFolders
from fedaid.training.processes.phase_request import PhaseRequest, read_update
from fedaid.training.processes.rank import failure_file, tell, train, worker_of
from fedaid.training.settings import TrainingSettings
from fedaid.training.site_worker import SiteWorker


@pytest.fixture
def asked(
    consortium: dict[str, Path], site_data: SiteData, model: DualEncoder, settings: TrainingSettings, tmp_path: Path
) -> PhaseRequest:
    """A phase of the first hospital, with another cache of its images."""
    site, root = next(iter(consortium.items()))
    return PhaseRequest(
        task="pretrain",
        site=site,
        round_number=2,
        settings=settings,
        configuration=model.configuration,
        folders=DataFolders(root, tmp_path / "cache"),
        studies=len(site_data.train),
    )


@pytest.mark.parametrize("changes", [{}, {"moon_weight": 1.0, "local_normalisation": True}])
@pytest.mark.parametrize("task", ["align", "pretrain"])
def test_one_process_alone_does_to_the_bit_what_the_sites_worker_does(
    task: str,
    changes: dict[str, Any],
    asked: PhaseRequest,
    site_data: SiteData,
    model: DualEncoder,
    tmp_path: Path,
) -> None:
    asked = replace(asked, settings=replace(asked.settings, **changes))
    worker = SiteWorker(model, site_data, asked.settings, site=asked.site)
    start = {name: np.asarray(tensor * 0.9, tensor.dtype) for name, tensor in worker.tensors().items()}
    site_tensors = {name: tensor for name, tensor in start.items() if changes}
    worker.site_tensors = site_tensors
    worker.load(start)
    expected = getattr(worker, task)(round_number=asked.round_number)
    replace(asked, task=task).write(tmp_path, start, site_tensors=site_tensors)
    train(tmp_path)
    found = read_update(tmp_path)
    assert found.losses == expected.losses
    assert found.delta.keys() == expected.delta.keys()
    for name, delta in expected.delta.items():
        np.testing.assert_array_equal(found.delta[name], delta, err_msg=name)


def test_data_that_changed_since_are_refused(asked: PhaseRequest, tmp_path: Path) -> None:
    """Else the processes would hold different studies under one row."""
    with pytest.raises(InputError, match=r"^manifest must stay as it is while a job runs, got .* instead of 99"):
        worker_of(replace(asked, studies=99), tmp_path)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (InputError("x", "be y", got="z", where="w", remedy="R."), "x must be y, got z: w. R."),
        (FloatingPointError("loss must be finite"), "loss must be finite"),
        (RuntimeError("/data/patients/DOE.dcm"), ""),
        (ValueError("DOE"), ""),
    ],
)
def test_a_failure_tells_its_type_and_only_texts_of_our_own(
    error: Exception, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    tell(tmp_path, error)
    told: dict[str, Any] = json.loads(failure_file(tmp_path, 1).read_text())
    assert told == {"type": type(error).__name__, "text": text}
