"""A run with all its parts, and the same with an evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from admin.results.report.run_files import RunFiles, read_run_files
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.saved_model import save_model
from tests.admin.results.report.card_folder import write_card_run
from tests.admin.results.report.evaluation_folder import suite, untold, write_evaluation


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run without an evaluation."""
    return write_card_run(tmp_path / "run")


@pytest.fixture
def plain(run: Path) -> RunFiles:
    """That run, read."""
    return read_run_files(run)


@pytest.fixture
def models() -> dict[str, dict[str, Any]]:
    """Model → site → suite: lake gains from joining, north cannot tell, and tells nothing of lake's own model."""
    return {
        "local:north": {"lake": suite(0.2), "north": suite(0.58)},
        "local:lake": {"lake": suite(0.4), "north": untold()},
        "global": {"lake": suite(0.7), "north": suite(0.6)},
    }


@pytest.fixture
def evaluation(tmp_path: Path, models: dict[str, dict[str, Any]]) -> Path:
    """The run folder of the evaluation job."""
    return write_evaluation(tmp_path / "evaluation", models)


@pytest.fixture
def judged(run: Path, evaluation: Path) -> RunFiles:
    """The run with its evaluation, read."""
    return read_run_files(run, evaluation)


@pytest.fixture
def trained(model: DualEncoder, tmp_path: Path) -> Path:
    """The folder of a model whose weights are no longer those that its seed draws."""
    generator = torch.Generator().manual_seed(1)
    tensors = {
        name: (t + 0.2 * torch.randn(t.shape, generator=generator) if "weight" in name else t).numpy()
        for name, t in model.state_dict().items()
    }
    folder = tmp_path / "trained"
    folder.mkdir()
    save_model(folder, tensors, configuration=model.configuration, vocabulary_hash=model.vocabulary_hash)
    return folder


@pytest.fixture
def sites(consortium: dict[str, Path]) -> Path:
    """A folder of two prepared sites."""
    return next(iter(consortium.values())).parent
