"""Every check of the product is taken out once: a test must notice."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path

from tests.chaos.guards.answer_guards import ANSWER_GUARDS
from tests.chaos.guards.checker_guards import CHECKER_GUARDS
from tests.chaos.guards.guard import GREEN, RED, Guard, exit_code
from tests.chaos.guards.run_guards import RUN_GUARDS
from tests.chaos.guards.stop_guards import STOP_GUARDS
from tests.chaos.guards.supervisor_guards import SUPERVISOR_GUARDS
from tests.chaos.guards.transport_guards import TRANSPORT_GUARDS
from tests.chaos.outcome import Outcome

GUARDS = (*ANSWER_GUARDS, *TRANSPORT_GUARDS, *RUN_GUARDS, *STOP_GUARDS, *SUPERVISOR_GUARDS, *CHECKER_GUARDS)


def removed_guards(folder: Path, guards: Sequence[Guard] = GUARDS) -> Outcome:
    """The tests are green with all guards, and red without any one of them."""
    load(guards)
    files = sorted({guard.tests for guard in guards})
    failures = [f"{file} is not green with all guards" for file in files if exit_code([file], None) != GREEN]
    codes = {guard: exit_code([guard.tests], guard) for guard in guards}
    killed = sum(code == RED for code in codes.values())
    failures += [f"{guard.name}: pytest ended with {code}" for guard, code in codes.items() if code != RED]
    return Outcome(place="in-process", guards=len(guards), guards_killed=killed, failures=tuple(failures))


def load(guards: Sequence[Guard]) -> None:
    """Imports the tests once, with all that they need: a copy of this process then starts at once."""
    for tests in sorted({guard.tests.partition("::")[0] for guard in guards}):
        importlib.import_module(f"tests.{tests.removesuffix('.py').replace('/', '.')}")
