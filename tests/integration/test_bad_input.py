"""What a person can get wrong in a job: one clear line when it is packaged, long before any site trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from admin.jobs.package import package_job
from fedaid.errors import InputError

SERVER, CLIENT = "config_fed_server.json", "config_fed_client.json"


@pytest.mark.parametrize(
    ("name", "value", "message", "where"),
    [
        ("batch_size", 1, "batch_size must be a whole number of at least 2, got 1", CLIENT),
        ("valid_batch_size", 1, "valid_batch_size must be", CLIENT),
        ("temperature", 0, "temperature must be in", SERVER),
        ("learning_rate", -1, "learning_rate must be a finite number above 0", CLIENT),
        ("binding_weight", -0.1, "binding_weight must be a finite number of at least 0", CLIENT),
        ("min_clients", 0, "min_clients must be a whole number", ""),
        ("num_rounds", 0, "num_rounds must be a whole number of at least 1", SERVER),
        ("task_timeout", 0, "task_timeout must be a whole number of at least 1", SERVER),
        ("rho", 0, "rho must be a finite number above 0", SERVER),
        ("dual_step_size", -1, "dual_step_size must be a finite number of at least 0", SERVER),
        ("server_learning_rate", 3, "server_learning_rate must be in (0, 1]", SERVER),
        ("selection_metric", "best_loss", "selection_metric must be one of worst_loss", SERVER),
        ("initial_site_weights", "pairs", "initial_site_weights must be one of uniform", SERVER),
        ("image_encoder", "resnet50", "image_encoder must name a known encoder, got 'resnet50'", SERVER),
        ("batch_sise", 8, "Did you mean batch_size?", ""),
    ],
)
def test_a_bad_setting_is_one_line_that_names_it(
    tmp_path: Path, name: str, value: Any, message: str, where: str
) -> None:
    with pytest.raises(InputError) as refusal:
        package_job("fedaid_pretrain", out=tmp_path, settings={name: value})
    text = str(refusal.value)
    assert message in text
    assert where in text
    assert "\n" not in text
    assert not (tmp_path / "fedaid_pretrain").exists(), "a refused job must not be left to be submitted"
