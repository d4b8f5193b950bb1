from __future__ import annotations

from dataclasses import dataclass

import pytest

from fedaid.errors import InputError, closest, require, settings_from, split_settings


@dataclass(frozen=True)
class Kettle:
    litres: float = 1.0
    colour: str = "red"


def test_the_text_says_what_must_hold_what_was_got_where_and_what_to_do() -> None:
    error = InputError("rho", "be above 0", got=-1, where="job.json", remedy="Raise it.")
    assert str(error) == "rho must be above 0, got -1: job.json. Raise it."


def test_an_input_error_is_a_value_error() -> None:
    assert issubclass(InputError, ValueError)


def test_require_is_silent_where_the_condition_holds() -> None:
    require(True, "rho", "be above 0", got=1, where="job.json", remedy="Raise it.")


def test_require_raises_where_it_does_not() -> None:
    with pytest.raises(InputError, match=r"^rho must be above 0, got 0: job\.json\. Raise it\.$"):
        require(False, "rho", "be above 0", got=0, where="job.json", remedy="Raise it.")


def test_a_misspelt_name_gets_the_nearest_one() -> None:
    assert closest("litre", ["litres", "colour"]) == "Did you mean litres?"


def test_a_name_like_no_other_gets_all_of_them() -> None:
    assert closest("xyz", ["litres", "colour"]) == "Choose one of litres, colour."


def test_settings_are_made_from_what_is_given() -> None:
    assert settings_from(Kettle, {"litres": 2.0}, where="kitchen") == Kettle(litres=2.0)


def test_an_unknown_setting_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(InputError, match=r"got color: kitchen\. Did you mean colour\?"):
        settings_from(Kettle, {"color": "blue"}, where="kitchen")


@dataclass(frozen=True)
class Cup:
    count: int = 1


def test_one_list_of_settings_is_split_to_those_who_take_them() -> None:
    assert split_settings((Kettle, Cup), {"count": 3, "litres": 2.0}, where="job.json") == [Kettle(2.0), Cup(3)]


def test_a_setting_that_nobody_takes_is_refused_with_the_nearest() -> None:
    with pytest.raises(
        InputError, match=r"^argument must be a known setting, got counts: job\.json.*Did you mean count"
    ):
        split_settings((Kettle, Cup), {"counts": 3}, where="job.json")
