"""A tiny trial gives the numbers written here, so that a line of the ledger means what a trial gives today.

Without this test somebody changes the computation, forgets ``FORMAT``, and the benchmark compares old with new trials.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from admin.study.compare.trial import FORMAT, Trial, run_trial

SETTINGS = {
    "batch_size": 16,
    "valid_batch_size": 4,
    "align_steps": 3,
    "pretrain_steps": 4,
    "num_rounds": 2,
    "threads": 1,
    "warmup_steps": 0,
    "learning_rate": 3e-4,
    "binding_weight": 1.0,
    "loss_baseline": "none",
}
# Relative. One machine with the vector instructions of four kinds of processor: apart by up to 2.4e-4. A binding
# stronger by a tenth: 4e-3.
TOLERANCE = 1e-3
# FORMAT → of each round the validation loss at both sites in nats, then the weight of the first site.
EXPECTED = {2: [[1.73070, 1.89539, 0.479425], [1.47758, 1.95448, 0.420485], [1.37838, 1.46836, 0.420485]]}
REMEDY = "raise FORMAT in admin/study/compare/trial.py and write the new numbers here, or find out what changed"


def numbers(consortium: dict[str, Path], model: dict[str, Any], cache: Path, **changes: Any) -> list[list[float]]:
    """The numbers of a trial with these changes of its settings."""
    sites = {site: str(root) for site, root in consortium.items()}
    options = {name: value for name, value in model.items() if name != "seed"}
    found = run_trial(Trial("set", sites, {}, "fedaid", 0, options, SETTINGS, str(cache), changes=changes))
    first = next(iter(sites))
    return [
        [*(valid["loss"] for valid in entry["valid"].values()), entry["site_weights"][first]]
        for entry in found["curves"]["global"]
    ]


def check(found: list[list[float]]) -> None:
    """The numbers are those of this ``FORMAT``."""
    assert FORMAT in EXPECTED, f"no numbers are written down for FORMAT {FORMAT}, found {np.round(found, 6).tolist()}"
    apart = np.abs(np.array(found) / EXPECTED[FORMAT] - 1).max()
    assert apart < TOLERANCE, (
        f"a trial gives other numbers than before, by {apart:.1e} of them, {np.round(found, 6).tolist()}: {REMEDY}"
    )


def test_a_trial_gives_the_numbers_of_its_format(
    consortium: dict[str, Path], model_options: dict[str, Any], image_cache: Path
) -> None:
    check(numbers(consortium, model_options, image_cache))


@pytest.mark.parametrize(
    "change", [{"binding_weight": 1.1}, {"learning_rate": 3.1e-4}, {"weight_decay": 0.2}, {"dual_step_size": 0.49}]
)
def test_a_slightly_different_computation_is_noticed_and_told_what_to_do(
    change: dict[str, float], consortium: dict[str, Path], model_options: dict[str, Any], image_cache: Path
) -> None:
    found = numbers(consortium, model_options, image_cache, **change)
    with pytest.raises(AssertionError, match=r"raise FORMAT .* or find out what changed"):
        check(found)
