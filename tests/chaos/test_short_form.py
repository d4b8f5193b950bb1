"""The short form of ``make chaos``: a few faults of each series that runs in one process."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.messages.false_updates import FALSE_UPDATES, KINDS
from tests.chaos.messages.good_updates import SIZES, good_updates
from tests.chaos.messages.mutations import a_few_injections, every_injection, false_updates


def test_every_false_update_is_refused_whole_and_the_right_site_is_named(tmp_path: Path) -> None:
    outcome = false_updates(tmp_path, a_few_injections())
    assert outcome.failures == ()
    assert outcome.survived == outcome.right_culprit == outcome.mutations == len(FALSE_UPDATES) == 79


def test_the_list_has_the_kinds_of_false_updates_in_all_orders_and_both_phases() -> None:
    assert len(KINDS) >= 20
    assert len(every_injection()) == 6 * (2 * len(FALSE_UPDATES) - 2)


def test_updates_of_sites_that_train_are_accepted_whatever_their_data_and_settings(tmp_path: Path) -> None:
    outcome = good_updates(tmp_path, wanted=40, sizes=SIZES[:3])
    assert outcome.failures == ()
    assert outcome.false_refusals == 0
    assert outcome.injected is not None
    assert outcome.injected >= 40
