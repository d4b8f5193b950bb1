from __future__ import annotations

from dataclasses import dataclass

import pytest

from fedaid.errors import InputError, closest, require, require_flag, require_whole, settings_from


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


@pytest.mark.parametrize("value", [0, -1, 2.0, "2", True, None])
def test_what_is_no_whole_number_of_at_least_the_least_is_refused(value: object) -> None:
    with pytest.raises(InputError, match=r"^cups must be a whole number of at least 1, got .*: job\.json"):
        require_whole("cups", value, least=1, where="job.json")
    require_whole("cups", 1, least=1, where="job.json")


@pytest.mark.parametrize("value", [0, 1, "true", None])
def test_what_is_neither_true_nor_false_is_refused(value: object) -> None:
    with pytest.raises(InputError, match=r"^lid must be true or false, got .*: job\.json"):
        require_flag("lid", value, where="job.json")
    require_flag("lid", False, where="job.json")
