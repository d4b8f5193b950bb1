"""One bad input of the catalogue: what plants it, and what must be counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.catalogue.place import Place

Plant = Callable[[Place], object]
LONELY = "pair-no-image"
"""What also becomes of the report of an image that cannot be read far enough to know whose it is."""


@dataclass(frozen=True)
class Item:
    """One item of the catalogue.

    Args:
        name: unique.
        plant: writes the bad files; the study is sound apart from them.
        codes: of the quarantine, one for each thing that is left out; none if the study is used.
        note: why this is right, where that is not plain.
        needs_permissions: whether the reader must be bound by a file's permissions.
    """

    name: str
    plant: Plant
    codes: tuple[str, ...] = ()
    note: str = ""
    needs_permissions: bool = False

    @property
    def used(self) -> bool:
        """Whether the study belongs in the dataset."""
        return not self.codes


def image(name: str, plant: Plant, *codes: str, note: str = "") -> Item:
    """An item about an image, whose report is sound."""

    def both(place: Place) -> None:
        plant(place)
        place.report()

    return Item(name, both, codes, note)


def report(name: str, content: str | bytes, *codes: str, note: str = "") -> Item:
    """An item about the content of a report, whose image is sound."""

    def both(place: Place) -> None:
        place.save(place.film())
        place.report(content)

    return Item(name, both, codes, note)
