from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nvflare.apis.event_type import EventType
from nvflare.apis.fl_context import FLContext

from fedaid.evaluation.embedded_split import EmbeddedSplit
from fedaid.evaluation.settings import EvaluationSettings
from fedaid.flare.site.given_ranks import GivenRanks

SETTINGS = EvaluationSettings(draws=50)
STUDIES = 12
EVERY_ONE = np.eye(STUDIES, dtype=np.float32)


@pytest.fixture
def given() -> EmbeddedSplit:
    """Twelve studies, each of which the given model finds at once."""
    numbers = np.arange(STUDIES)
    return EmbeddedSplit(EVERY_ONE, EVERY_ONE, numbers, numbers, {}, {})


@pytest.fixture
def own(given: EmbeddedSplit) -> EmbeddedSplit:
    """The same studies under a model that puts every third image opposite to its report: 8 of 12 found each way."""
    image = EVERY_ONE.copy()
    image[::3] = -image[::3]
    return replace(given, image=image)


def compare(ranks: GivenRanks, test: EmbeddedSplit, number: int, context: FLContext) -> Any:
    return ranks.compare(test, SETTINGS, number=number, fl_ctx=context)


def test_a_model_is_compared_with_the_given_one(
    given: EmbeddedSplit, own: EmbeddedSplit, site_context: FLContext
) -> None:
    ranks = GivenRanks()
    assert compare(ranks, given, 0, site_context) is None
    for number in (2, 3):
        found = compare(ranks, own, number, site_context)["recall_at_5"]
        assert found["value"] == pytest.approx(-4 / 12, abs=1e-4)
        assert found["low"] < found["value"] < found["high"] < 0


def test_without_the_given_model_nothing_can_be_said(own: EmbeddedSplit, site_context: FLContext) -> None:
    assert compare(GivenRanks(), own, 2, site_context) is None


def test_a_process_that_is_swapped_out_hands_the_ranks_on(
    given: EmbeddedSplit, own: EmbeddedSplit, site_context: FLContext
) -> None:
    one, next_one = GivenRanks(), GivenRanks()
    one.swap.notice(EventType.SWAP_IN)
    compare(one, given, 0, site_context)
    assert compare(next_one, own, 2, site_context) == compare(one, own, 2, site_context)


def test_elsewhere_no_rank_is_written(given: EmbeddedSplit, site_context: FLContext, tmp_path: Path) -> None:
    compare(GivenRanks(), given, 0, site_context)
    assert list((tmp_path / "run" / "job").iterdir()) == []
