"""What one series of measurements gave, and the sum over series."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The numbers of one series; a subclass names them. A number that a series does not measure is None.

    Attributes:
        place: where it was measured, such as "in-process", "simulator", "POC", "provisioned, TLS".
        failures: what did not end as expected, in words.
    """

    LARGEST: ClassVar[tuple[str, ...]] = ()
    """The keys whose value over all series is the largest one; the others are added up."""
    NO_KEYS: ClassVar[tuple[str, ...]] = ("place", "failures")
    """Fields that are no key of the sum."""

    place: str
    failures: tuple[str, ...] = ()

    @classmethod
    def key_names(cls) -> tuple[str, ...]:
        """The names of the numbers."""
        return tuple(one.name for one in fields(cls) if one.name not in cls.NO_KEYS)

    @classmethod
    def read(cls, kept: dict[str, Any]) -> Self:
        """What :func:`dataclasses.asdict` and JSON made of a series."""
        fields_of: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in kept.items()}
        return cls(**fields_of)

    def numbers(self) -> dict[str, Any]:
        """What the series measured."""
        names = ("place", *self.key_names(), *self.NO_KEYS[1:])
        return {name: value for name in names if (value := getattr(self, name)) not in (None, (), {})}

    def shortfalls(self) -> list[str]:
        """Numbers that are not as they must be, in words."""
        return []

    @classmethod
    def total(cls, outcomes: Iterable[Measured]) -> dict[str, float | int | None]:
        """Each key over all series; None where no series measured it."""
        measured = list(outcomes)
        summed: dict[str, float | int | None] = {}
        for key in cls.key_names():
            values = [value for one in measured if (value := getattr(one, key)) is not None]
            summed[key] = (max(values) if key in cls.LARGEST else sum(values)) if values else None
        return summed
