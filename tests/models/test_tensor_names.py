from __future__ import annotations

import pytest
from torch import nn

from fedaid.models.tensor_names import LOGIT_SCALE, is_alignment, is_statistic


@pytest.mark.parametrize("name", ["image.alignment.projection.0.weight", "text.alignment.block.norm.bias", LOGIT_SCALE])
def test_alignment_modules_and_the_logit_scale_are_alignment(name: str) -> None:
    assert is_alignment(name)


@pytest.mark.parametrize("name", ["image.encoder.weight", "text.encoder.alignment.weight", "alignment", "other", ""])
def test_nothing_else_is(name: str) -> None:
    assert not is_alignment(name)


def test_what_batch_norm_measures_is_a_statistic_and_what_it_learns_is_not() -> None:
    norm = nn.Sequential(nn.BatchNorm2d(2))
    learned = {name for name, _ in norm.named_parameters()}
    assert {name for name in norm.state_dict() if is_statistic(name)} == norm.state_dict().keys() - learned
    assert len(learned) == 2
