from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import pytest

from fedaid.arguments import keeps_arguments, parameters_of


@dataclass(frozen=True)
class Learning:
    rate: float = 0.1
    steps: int = 5


class Base:
    @keeps_arguments(*parameters_of(Learning))
    def __init__(self, **settings: Any) -> None:
        self.learning = Learning(**settings)


class Derived(Base):
    @keeps_arguments(*parameters_of(Learning, ["rate"]))
    def __init__(self, name: str = "one", **settings: Any) -> None:
        super().__init__(**settings)
        self.upper = name.upper()


def test_every_argument_is_an_attribute_given_or_not() -> None:
    found = Derived("two", rate=0.5)
    assert (vars(found)["name"], vars(found)["rate"], found.upper, found.learning.rate) == ("two", 0.5, "TWO", 0.5)
    assert vars(Base())["steps"] == 5


def test_the_signature_names_every_argument_and_no_other() -> None:
    assert list(inspect.signature(Derived).parameters) == ["name", "rate"]
    assert list(inspect.signature(Derived.__init__).parameters) == ["self", "name", "rate"]


def test_what_was_given_is_written_to_a_job_even_if_it_equals_the_default() -> None:
    assert vars(Derived("one"))["_always_serialize_args"] == {"name"}


def test_an_unknown_argument_is_refused_by_the_constructor_itself() -> None:
    with pytest.raises(TypeError, match=r"Learning.__init__\(\) got an unexpected keyword argument 'rates'"):
        Base(rates=1)
