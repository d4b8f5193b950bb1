from __future__ import annotations

from typing import Any

import pytest

from fedaid.errors import InputError
from fedaid.evaluation.settings import EvaluationSettings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("least_patients", 1), ("least_patients", 2.5), ("draws", 9), ("draws", True), ("seed", -1)],
        *[("probe_draws", 0), ("calibration_bins", 0), ("level", 1), ("level", 0.0)],
        *[("probe_shares", (0.0,)), ("probe_shares", (0.1, 1.1))],
    ],
)
def test_a_value_out_of_its_range_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=rf"^{name} must be "):
        EvaluationSettings(**{name: value})


def test_the_least_values_are_taken() -> None:
    EvaluationSettings(least_patients=2, draws=10, seed=0, probe_draws=1, calibration_bins=1, probe_shares=(1.0,))
