"""False updates in every order of arrival and in both phases: refused whole, and the right site is named."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterable
from pathlib import Path

from fedaid.flare.wire.tasks import ALIGN, PRETRAIN
from tests.chaos.messages.false_update import CULPRIT, FROM_STRANGER, HONEST, SECOND, STRANGER, FalseUpdate
from tests.chaos.messages.false_updates import FALSE_UPDATES
from tests.chaos.messages.post import Postbox, commits, ended, refused_sites
from tests.chaos.outcome import Outcome

ORDERS = tuple(itertools.permutations((*HONEST, CULPRIT)))
PHASES = (ALIGN, PRETRAIN)
Injection = tuple[FalseUpdate, str, tuple[str, ...]]  # with its phase and the order of arrival


def every_injection() -> list[Injection]:
    """Each false update in both phases and all orders."""
    return [(false, phase, order) for false in FALSE_UPDATES for phase in false.phases for order in ORDERS]


def a_few_injections() -> list[Injection]:
    """Each false update once; phases and orders take turns."""
    turns = zip(itertools.cycle(range(len(ORDERS))), FALSE_UPDATES, strict=False)
    return [(false, false.phases[turn % len(false.phases)], ORDERS[turn]) for turn, false in turns]


def false_updates(folder: Path, injections: Iterable[Injection] | None = None) -> Outcome:
    """Each run must end as one without the false update, with the same bits."""
    box = Postbox(folder)
    silent = {phase: ended(box.run(phase, ORDERS[0], None)) for phase in PHASES}
    whole = ended(box.all_answer(ALIGN))
    injected = survived = named = 0
    failures: list[str] = []
    for false, phase, order in injections or every_injection():
        made = box.run(phase, order, false)
        culprit = STRANGER if false.arrives == FROM_STRANGER else CULPRIT
        expected = whole if false.arrives in (SECOND, FROM_STRANGER) else silent[phase]
        same = ended(made) == expected and commits(made) == 1
        right = set(refused_sites(made)) == {culprit}
        injected, survived, named = injected + 1, survived + same, named + right
        if not (same and right):
            failures.append(
                f"{false.kind}, {false.name}, {phase}, {'-'.join(order)}: {'' if same else ended(made)}"
                f"{'' if right else f' named {refused_sites(made)}'}"
            )
        shutil.rmtree(made.app)
        shutil.rmtree(made.run_store.parents[1])
    return Outcome(
        place="in-process",
        injected=injected,
        survived=survived,
        mutations=injected,
        right_culprit=named,
        failures=tuple(failures),
    )
