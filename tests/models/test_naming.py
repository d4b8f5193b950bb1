from __future__ import annotations

import pytest

from fedaid.models.naming import LOGIT_SCALE, is_alignment


@pytest.mark.parametrize("name", ["image.alignment.projection.0.weight", "text.alignment.block.norm.bias", LOGIT_SCALE])
def test_alignment_modules_and_the_logit_scale_are_alignment(name: str) -> None:
    assert is_alignment(name)


@pytest.mark.parametrize("name", ["image.encoder.weight", "text.encoder.alignment.weight", "alignment", "other", ""])
def test_nothing_else_is(name: str) -> None:
    assert not is_alignment(name)
