"""Constructor arguments that FLARE's job API can read back from a component.

The job API writes a job from Python objects. It takes the names of the arguments from the signature of ``__init__`` and
their values from attributes of the same names. An argument that it does not find is left out without a message.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection
from typing import Any, TypeVar, cast

Constructor = TypeVar("Constructor", bound=Callable[..., None])


def keeps_arguments(*settings: inspect.Parameter) -> Callable[[Constructor], Constructor]:
    """Decorate ``__init__``: every argument becomes a public attribute, and the signature names every argument.

    The job API leaves out an argument that equals its default, unless ``_always_serialize_args`` names it. All
    arguments that were given are named there, so that a job states what its author stated.

    Args:
        settings: what the constructor accepts by ``**``, see :func:`parameters_of`.
    """

    def decorate(constructor: Constructor) -> Constructor:
        """The constructor that also sets the attributes."""
        signature = signature_with(constructor, settings)

        @functools.wraps(constructor)
        def construct(self: object, *values: Any, **named: Any) -> None:
            constructor(self, *values, **named)
            arguments = signature.bind(self, *values, **named)
            given = frozenset([*arguments.arguments][1:])
            arguments.apply_defaults()
            for name, value in [*arguments.arguments.items()][1:]:
                setattr(self, name, value)
            self._always_serialize_args = given  # type: ignore[attr-defined]

        construct.__signature__ = signature  # type: ignore[attr-defined]
        return cast(Constructor, construct)

    return decorate


def parameters_of(kind: type, names: Collection[str] | None = None) -> list[inspect.Parameter]:
    """Return the fields of a settings dataclass as keyword arguments; with ``names``, only those."""
    found = inspect.signature(kind).parameters.values()
    return [p.replace(kind=p.KEYWORD_ONLY) for p in found if names is None or p.name in names]


def signature_with(constructor: Callable[..., None], settings: Collection[inspect.Parameter]) -> inspect.Signature:
    """Return the constructor's signature with ``settings`` in place of its ``**`` argument."""
    stated = inspect.signature(constructor).parameters.values()
    return inspect.Signature([*(p for p in stated if p.kind is not p.VAR_KEYWORD), *settings])
