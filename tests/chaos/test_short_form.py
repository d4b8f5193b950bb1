"""The short form of ``make chaos``: a few faults of each series that runs in one process."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.files.damaged_files import damaged_files
from tests.chaos.guards.guard import found
from tests.chaos.guards.removed_guards import GUARDS, removed_guards
from tests.chaos.messages.false_updates import FALSE_UPDATES, KINDS
from tests.chaos.messages.good_updates import SIZES, good_updates
from tests.chaos.messages.mutations import a_few_injections, every_injection, false_updates
from tests.chaos.weights.false_losses import GOAL, false_losses
from tests.chaos.weights.loss_tables import random_losses


def test_every_false_update_is_refused_whole_and_the_right_site_is_named(tmp_path: Path) -> None:
    outcome = false_updates(tmp_path, a_few_injections())
    assert outcome.failures == ()
    assert outcome.survived == outcome.right_culprit == outcome.mutations == len(FALSE_UPDATES) == 82


def test_the_list_has_the_kinds_of_false_updates_in_all_orders_and_both_phases() -> None:
    assert len(KINDS) >= 20
    assert len(every_injection()) == 6 * (2 * len(FALSE_UPDATES) - 3)  # three exist in one phase only


def test_updates_of_sites_that_train_are_accepted_whatever_their_data_and_settings(tmp_path: Path) -> None:
    outcome = good_updates(tmp_path, wanted=40, sizes=SIZES[:3])
    assert outcome.failures == ()
    assert outcome.false_refusals == 0
    assert outcome.injected is not None
    assert outcome.injected >= 40


def test_no_table_of_losses_moves_a_weight_out_of_its_bounds(tmp_path: Path) -> None:
    outcome = random_losses(tmp_path, tables=2000)
    assert outcome.failures == ()
    assert outcome.ceiling_excess == 0


def test_three_honest_rounds_after_one_false_loss_its_effect_is_gone(tmp_path: Path) -> None:
    outcome = false_losses(tmp_path, repeats=1)
    assert outcome.failures == ()
    assert outcome.recovery_rounds is not None
    assert outcome.recovery_rounds <= GOAL


def test_no_damaged_file_is_read_silently(tmp_path: Path) -> None:
    outcome = damaged_files(tmp_path, flips=60, cuts=20)
    assert outcome.failures == ()
    assert outcome.silent_loads == 0
    assert outcome.injected is not None
    assert outcome.injected >= 3 * 80


def test_each_guard_is_where_the_list_says() -> None:
    assert len({guard.name for guard in GUARDS}) == len(GUARDS) >= 80
    for guard in GUARDS:
        assert guard.code_without() != found(guard.where)[1].__code__, guard.name


def test_without_a_guard_a_test_is_red(tmp_path: Path) -> None:
    quick = ("test_sealed_folder.py", "flare/wire/test_plain_answer.py")
    outcome = removed_guards(tmp_path, [guard for guard in GUARDS if guard.tests in quick])
    assert outcome.failures == ()
    assert outcome.guards == outcome.guards_killed == 13
