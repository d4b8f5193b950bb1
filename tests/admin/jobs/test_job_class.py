from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from admin.jobs.components import Component, accepted_arguments, construct, load_class, require_arguments
from fedaid.arguments import keeps_arguments, parameters_of
from fedaid.errors import InputError


class Base:
    def __init__(self, base: int = 0) -> None:
        self.base = base


class Handing(Base):
    def __init__(self, own: int, **rest: Any) -> None:
        super().__init__(**rest)
        self.own = own
        if own < 0:
            raise ValueError("own must not be negative")


class Anything:
    def __init__(self, **anything: Any) -> None:
        self.settings = anything


class Stating(Anything):
    @keeps_arguments(*parameters_of(Base))
    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)


class Owner:
    def __init__(self, part: object, model: object = None) -> None:
        self.part, self.model = part, model


def component(path: str = "x.Y", **args: Any) -> Component:
    return Component("store", path, args, Path("job/app/config/config_fed_server.json"))


def test_the_class_of_a_path_is_loaded() -> None:
    assert load_class(component("collections.OrderedDict")).__name__ == "OrderedDict"


@pytest.mark.parametrize("path", ["no_such_module.Class", "collections.NoSuchClass", "Class", "collections."])
def test_a_path_that_cannot_be_imported_is_refused(path: str) -> None:
    with pytest.raises(InputError, match="path of store must name a class that can be imported"):
        load_class(component(path))


def test_a_path_to_a_function_is_refused() -> None:
    with pytest.raises(InputError, match="name a class, got"):
        load_class(component("os.path.join"))


def test_an_argument_of_the_base_class_is_known_through_kwargs() -> None:
    require_arguments(Handing, component(own=1, base=2))


def test_an_unknown_argument_is_refused_with_file_and_guess() -> None:
    with pytest.raises(
        InputError, match=r"got bse: store in job/app/config/config_fed_server.json\. Did you mean base"
    ):
        require_arguments(Handing, component(own=1, bse=2))


def test_a_needed_argument_that_is_not_given_is_refused() -> None:
    with pytest.raises(InputError, match="own must be among the arguments of Handing, got"):
        require_arguments(Handing, component(base=2))


def test_a_class_that_states_its_signature_takes_that() -> None:
    assert accepted_arguments(Stating) == ({"base"}, False)


def test_a_class_that_takes_anything_is_not_held_to_names() -> None:
    require_arguments(Anything, component(whatever=1))


def test_a_refusing_constructor_refuses_the_job() -> None:
    with pytest.raises(InputError, match="store must accept its settings, got ValueError: own must not be negative"):
        construct(Handing, component(own=-1))


def test_an_argument_that_is_a_component_is_built_but_a_model_is_not() -> None:
    nested = {"path": "collections.Counter", "args": {}}
    made = construct(Owner, component(part=nested, model=nested))
    assert isinstance(made, Owner)
    assert type(made.part).__name__ == "Counter"
    assert made.model == nested
