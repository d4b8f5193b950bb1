from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.processes.process_group import gathered, process_count, process_number, share_of, synchronized
from fedaid.training.processes.torchrun import run_processes
from fedaid.training.trainer import keep_going
from tests.training.gradient_process import cases

ROOT = Path(__file__).parents[3]


def test_without_a_group_the_batch_is_that_of_one_process(model: DualEncoder) -> None:
    rows, tensor = np.arange(5), torch.ones(3, 2)
    assert (process_count(), process_number()) == (1, 0)
    assert share_of(rows).tolist() == rows.tolist()
    assert gathered(tensor) is tensor
    assert synchronized(model, model.align) == model.align


@pytest.fixture(scope="module", params=[2, pytest.param(3, marks=pytest.mark.long)])
def spread(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, dict[str, Tensor]]]:
    """For every process the loss and gradients that it found in each case."""
    folder, processes = tmp_path_factory.mktemp("gradients"), request.param
    log = folder / "log"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        entry = ["-m", "tests.training.gradient_process", str(folder)]
        code = run_processes(entry, folder, processes=processes, log=log, check=keep_going)
    assert code == 0, log.read_text()
    files = [sorted(folder.glob(f"* in {number} of {processes}.safetensors")) for number in range(processes)]
    return [{file.name.split(" in ")[0]: load_file(file) for file in one} for one in files]


@pytest.mark.slow
def test_gradients_of_several_processes_are_those_of_one(spread: list[dict[str, dict[str, Tensor]]]) -> None:
    expected = cases()
    assert len(expected) == 6
    for found in spread:
        assert found.keys() == expected.keys()
        for case, tensors in expected.items():
            assert found[case].keys() == tensors.keys()
            assert {"loss", "log_logit_scale"} < tensors.keys()
            assert all(float(tensor.abs().max()) > 0 for name, tensor in tensors.items() if "alignment" in name)
            # DDP takes its mean by a factor in float32, which is exact for two processes and not for three
            tolerance = 1e-5 if "float32" in case else (1e-12 if len(spread) == 2 else 1e-6)
            for name, tensor in tensors.items():
                torch.testing.assert_close(found[case][name], tensor, atol=tolerance, rtol=1e-7, msg=f"{case}: {name}")


@pytest.mark.slow
def test_every_process_has_the_same_gradient_to_the_bit(spread: list[dict[str, dict[str, Tensor]]]) -> None:
    first, *others = spread
    assert others
    for other in others:
        for case, tensors in first.items():
            assert all(torch.equal(tensor, other[case][name]) for name, tensor in tensors.items()), case
