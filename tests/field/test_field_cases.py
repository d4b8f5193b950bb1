"""Every case: the answer is right, and its checker finds a fault where one is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.field.catalogue import CASES
from tests.field.field_case import FieldCase


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_answer_is_right(case: FieldCase, tmp_path: Path) -> None:
    run = case.run(tmp_path)
    assert list(case.faults(run)) == [], run.messages


def test_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
