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
from fedaid.flare.site.evaluation_tasks import difference_to_given
from fedaid.flare.site.task_memory import TaskMemory

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


def compare(memory: TaskMemory, test: EmbeddedSplit, number: int, context: FLContext) -> Any:
    return difference_to_given(memory, SETTINGS, test, number=number, fl_ctx=context)


def test_a_model_is_compared_with_the_given_one(
    given: EmbeddedSplit, own: EmbeddedSplit, site_context: FLContext
) -> None:
    memory = TaskMemory()
    assert compare(memory, given, 0, site_context) is None
    for number in (2, 3):
        found = compare(memory, own, number, site_context)["recall_at_5"]
        assert found["value"] == pytest.approx(-4 / 12, abs=1e-4)
        assert found["low"] < found["value"] < found["high"] < 0


def test_without_the_given_model_nothing_can_be_said(own: EmbeddedSplit, site_context: FLContext) -> None:
    assert compare(TaskMemory(), own, 2, site_context) is None


def test_another_process_recalls_the_ranks(given: EmbeddedSplit, own: EmbeddedSplit, site_context: FLContext) -> None:
    one, next_one = TaskMemory(), TaskMemory()
    one.notice(EventType.SWAP_IN)
    compare(one, given, 0, site_context)
    assert compare(next_one, own, 2, site_context) == compare(one, own, 2, site_context)


def test_elsewhere_no_rank_is_written(given: EmbeddedSplit, site_context: FLContext, tmp_path: Path) -> None:
    compare(TaskMemory(), given, 0, site_context)
    assert list((tmp_path / "run" / "job").iterdir()) == []
