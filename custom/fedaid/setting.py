"""Fields of a settings class that say what they mean, which values they take and what they cost.

The field is the one place for all of that. The check of a job's values, the planner, the methods and the table in the
documentation are made from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeVar

from fedaid.errors import require

Value = TypeVar("Value")
Cost = Literal["none", "step", "term"]
CORRECT = "Correct the job's setting."
_KEY = "setting"


@dataclass(frozen=True)
class Rule:
    """Which values a setting takes.

    Attributes:
        text: what the value must be, without the word "must".
        holds: whether a value is one of them.
        remedy: one sentence that says what to do about another value.
    """

    text: str
    holds: Callable[[Any], bool]
    remedy: str = CORRECT


@dataclass(frozen=True)
class Setting:
    """What a field says of itself.

    Attributes:
        group: the part of local training that it belongs to.
        unit: of its value.
        doc: what it does, one line of Markdown for the table in the documentation.
        rule: which values it takes.
        cost: what another value changes in the planner's seconds of a step: "none"; "step", so that a measured step
            is no longer valid; "term" for a weight whose part of the loss takes time unless the weight is 0.
        plain: the value in plain federated averaging; None where the baselines leave it as it is.
    """

    group: str
    unit: str
    doc: str
    rule: Rule
    cost: Cost
    plain: object


def setting(
    default: Value, group: str, *, unit: str, doc: str, rule: Rule, cost: Cost = "none", plain: object = None
) -> Value:
    """A dataclass field with this default; the other arguments are those of :class:`Setting`."""
    declared = Setting(group, unit, doc, rule, cost, plain)
    return field(default=default, metadata={_KEY: declared})


def switch(group: str, *, doc: str, cost: Cost = "none", plain: object = None) -> bool:
    """A setting that is true or false, and false where a job says nothing."""
    rule = Rule("be true or false", lambda value: isinstance(value, bool))
    return setting(False, group, unit="switch", doc=doc, rule=rule, cost=cost, plain=plain)


def choice(group: str, names: tuple[str, ...], *, doc: str, cost: Cost = "none") -> str:
    """A setting that is one of these names; the first is the default."""
    rule = Rule(f"be one of {', '.join(names)}", lambda value: value in names)
    return setting(names[0], group, unit="name", doc=doc, rule=rule, cost=cost)


def described(kind: type) -> dict[str, Setting]:
    """Name → what the field says of itself, in the order of the fields.

    Raises:
        KeyError: if a field was not made by :func:`setting`.
    """
    return {one.name: one.metadata[_KEY] for one in fields(kind)}


def names_with(kind: type, *, cost: Cost) -> list[str]:
    """The names of the settings that cost this."""
    return [name for name, declared in described(kind).items() if declared.cost == cost]


def plain_values(kind: type) -> dict[str, object]:
    """Name → value in plain federated averaging, of the settings that have one."""
    return {name: declared.plain for name, declared in described(kind).items() if declared.plain is not None}


def check_settings(settings: object, *, where: str) -> None:
    """Refuses a value that breaks the rule of its field.

    Raises:
        InputError: naming the setting.
    """
    for name, declared in described(type(settings)).items():
        value, rule = getattr(settings, name), declared.rule
        require(rule.holds(value), name, rule.text, got=value, where=where, remedy=rule.remedy)


def whole(least: int, *, remedy: str = CORRECT) -> Rule:
    """A whole number of at least ``least``."""
    return Rule(
        f"be a whole number of at least {least}", lambda value: is_number(value, int) and value >= least, remedy
    )


def positive() -> Rule:
    """A finite number above 0."""
    return Rule("be a finite number above 0", lambda value: is_finite(value) and value > 0)


def not_negative() -> Rule:
    """A finite number of at least 0."""
    return Rule("be a finite number of at least 0", lambda value: is_finite(value) and value >= 0)


def or_none(rule: Rule) -> Rule:
    """None, or what the rule takes."""
    return Rule(rule.text, lambda value: value is None or rule.holds(value), rule.remedy)


def is_finite(value: object) -> bool:
    """Whether the value is a finite number."""
    return is_number(value, (int, float)) and math.isfinite(value)  # type: ignore[arg-type]


def is_number(value: object, kind: type | tuple[type, ...]) -> bool:
    """Whether the value is a number of this type; a bool is not."""
    return isinstance(value, kind) and not isinstance(value, bool)
