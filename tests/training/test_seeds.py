from __future__ import annotations

import itertools

from fedaid.training.batches import seed_of


def test_the_same_purpose_gives_the_same_seed() -> None:
    assert seed_of(0, "hosp-a", 3, "align") == seed_of(0, "hosp-a", 3, "align")


def test_run_site_round_and_task_each_change_the_seed() -> None:
    purposes = itertools.product((0, 1), ("hosp-a", "hosp-b"), range(20), ("align", "pretrain"))
    seeds = {seed_of(*purpose) for purpose in purposes}
    assert len(seeds) == 160


def test_parts_do_not_run_together() -> None:
    assert seed_of(0, "a1", 1) != seed_of(0, "a", 11)


def test_a_seed_is_one_that_numpy_and_torch_take() -> None:
    assert all(0 <= seed_of(0, step) < 2**32 for step in range(1000))


def test_a_seed_is_the_same_on_every_machine() -> None:
    # the first 32 bits of: printf '0\x1fhosp-a\x1f0\x1falign' | sha256sum
    assert seed_of(0, "hosp-a", 0, "align") == 3155113570
