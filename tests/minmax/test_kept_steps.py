"""A false value is taken back whenever its site reports again, and honest values are never touched."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedaid.minmax.dual_step import dual_step
from fedaid.minmax.kept_steps import KEPT
from fedaid.minmax.settings import MinMaxSettings
from fedaid.minmax.site_weights import SiteWeights

Table = dict[str, float]
SETTINGS = MinMaxSettings(rho=0.5, dual_step_size=0.5)
STUDENT = MinMaxSettings(rho=0.5, dual_step_size=0.5, loss_baseline="student")


def falling(rounds: int, *, fall: float = 0.4) -> list[Table]:
    """Losses of three sites that fall together."""
    return [dict(zip("abc", (4 - fall * n, 4.3 - fall * n, 4.1 - fall * n), strict=True)) for n in range(rounds)]


def without(table: Table, site: str) -> Table:
    return {other: value for other, value in table.items() if other != site}


@pytest.mark.parametrize("false", [12.0, 0.0])
@pytest.mark.parametrize("silent", [1, 3, KEPT - 2])
@pytest.mark.parametrize("when", [0, 1, 3])
def test_a_false_loss_is_taken_back_when_its_silent_site_answers_again(false: float, silent: int, when: int) -> None:
    lied, honest = (SiteWeights(SETTINGS, list("abc")) for _ in range(2))
    for number, table in enumerate(falling(when + silent + 2, fall=0.1)):
        heard = without(table, "b") if 0 < number - when <= silent else table
        honest.step(heard, {})
        move = lied.step(heard | ({"b": false} if number == when else {}), {})
    assert list(move.taken_back) == ["b"]
    assert lied.current == pytest.approx(honest.current, rel=0.1)


@pytest.mark.parametrize("student", [True, False])
def test_a_false_value_is_taken_back_after_a_round_without_the_students_loss(student: bool) -> None:
    lied, honest = (SiteWeights(STUDENT, list("abc")) for _ in range(2))
    for number, table in enumerate(falling(5)):
        students = {site: value - 0.2 for site, value in table.items()}
        if number == 2:
            students = without(students, "b")
        honest.step(table, {}, students)
        false = {"b": 0.0 if student else 12.0} if number == 1 else {}
        lied.step(table | ({} if student else false), {}, students | (false if student else {}))
    assert lied.current == pytest.approx(honest.current, rel=0.1)


def test_a_round_that_only_the_liar_answers_hides_nothing() -> None:
    lied, honest = (SiteWeights(SETTINGS, list("abc")) for _ in range(2))
    for number, table in enumerate(falling(4)):
        heard = {"b": table["b"]} if number == 2 else table
        honest.step(heard, {})
        lied.step(heard | ({"b": 12.0} if number == 1 else {}), {})
    assert lied.current == pytest.approx(honest.current, rel=0.1)


@pytest.mark.parametrize(("site", "lie"), [("a", 1.5), ("b", 1.5), ("c", 1.5), ("b", -1.5)])
def test_a_lie_of_one_and_a_half_nats_is_seen_while_all_losses_fall(site: str, lie: float) -> None:
    weights = SiteWeights(SETTINGS, list("abc"))
    for number, table in enumerate(falling(3, fall=1.3)):
        move = weights.step(table | ({site: table[site] + lie} if number == 1 else {}), {})
    assert list(move.taken_back) == [site]


@pytest.mark.parametrize("sites", ["abc", "ac"])
def test_a_false_low_loss_in_the_first_round_makes_no_outlier_of_an_honest_site(sites: str) -> None:
    weights = SiteWeights(SETTINGS, list(sites))
    weights.step(dict.fromkeys(sites, 4.8) | {"c": 0.0}, {})
    assert weights.step(dict.fromkeys(sites, 3.5), {}).taken_back == {"c": pytest.approx(4.8)}
    assert weights.current == pytest.approx(dict.fromkeys(sites, 1 / len(sites)))


@given(st.integers(0, 10_000), st.integers(2, 6), st.sampled_from([0.05, 0.25, 1.0]))
def test_honest_values_move_the_weights_as_the_bare_dual_steps_do(seed: int, sites: int, rho: float) -> None:
    """Bit for bit: losses fall by up to 1.2 nats a round, each site wanders by 0.2, and some rounds miss a site."""
    rng, names = np.random.default_rng(seed), list("abcdef"[:sites])
    weights, bare = SiteWeights(MinMaxSettings(rho=rho), names), dict.fromkeys(names, 1 / sites)
    for number in range(8):
        common = 1 + 4 * float(np.exp(-number / 3))
        table = {name: common + at / 2 + float(rng.uniform(-0.2, 0.2)) for at, name in enumerate(names)}
        heard = without(table, str(rng.choice(names))) if rng.random() < 0.3 else table
        assert weights.step(heard, {}).taken_back == {}
        bare = dual_step(bare, heard, step_size=0.5, rho=rho).weights
        assert weights.current == bare


def test_the_kept_steps_do_not_grow_with_the_run() -> None:
    weights = SiteWeights(SETTINGS, list("abc"))
    for table in falling(3 * KEPT, fall=0.01):
        weights.step(table, {})
    assert len(weights.state["steps"]) == KEPT


def test_a_run_of_an_older_version_goes_on_and_takes_a_false_loss_back() -> None:
    """Its state has the values of two steps, and the weights before the last one."""
    first, second, third = falling(3)
    honest = SiteWeights(SETTINGS, list("abc"))
    for table in (first, second, third):
        honest.step(table, {})
    lied = SiteWeights(SETTINGS, list("abc"))
    lied.step(first, {})
    before = dict(lied.current)
    lied.step(second | {"b": 12.0}, {})
    older = {"weights": dict(lied.current), "pairs": {}, "before": before, "last": second | {"b": 12.0}}
    again = SiteWeights(SETTINGS, list("abc"))
    again.restore(older | {"earlier": first})
    again.step(third, {})
    assert again.current == pytest.approx(honest.current, rel=0.1)
