"""Every command of the pages for operators, as printed, in one provisioned federation on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.walk.route import STEPS
from tests.walk.step import Outcome, Step
from tests.walk.walk import walked

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(7200)]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Step, Outcome]]:
    with walked(tmp_path_factory.mktemp("walk")) as found:
        yield found


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.page}: {step.line.splitlines()[0]}"[:110])
def test_the_command_of_the_page_does_what_the_page_says(step: Step, outcomes: dict[Step, Outcome]) -> None:
    found = outcomes[step]
    assert not found.wrong, f"{found.command}\n{found.wrong}\n{found.output[-4000:]}"
