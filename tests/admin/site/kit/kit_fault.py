"""What a planted fault of a kit is, and the edits that most of them are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.admin.site.kit.kit_world import SITE, World, change

SERVER, LEAD = "fl-server", "lead@consortium.org"
RESOURCES, RIGHTS, SOFTWARE = "resources.json.default", "authorization.json.default", "fedaid_software.json"


@dataclass(frozen=True)
class KitFault:
    """A fault; ``also`` are checks that must find it too, ``shows`` is a part of what is printed.

    The lead has signed the kit with the fault in it, unless ``after_signing``.
    """

    name: str
    check: str
    plant: Callable[[World, pytest.MonkeyPatch], object]
    shows: str = ""
    kit: str = SITE
    also: tuple[str, ...] = ()
    after_signing: bool = False


def in_world(plant: Callable[[World], object]) -> Callable[[World, pytest.MonkeyPatch], object]:
    """A fault that needs no patch."""
    return lambda world, _: plant(world)


def with_startup(edit: Callable[[Path], object]) -> Callable[[World, pytest.MonkeyPatch], object]:
    """An edit of the site's startup/."""
    return in_world(lambda world: edit(world.site / "startup"))


def replaced(name: str, old: str, new: str) -> Callable[[World, pytest.MonkeyPatch], object]:
    """A text in a file of the site's startup/ replaced."""

    def edit(startup: Path) -> None:
        file = startup / name
        assert old in file.read_text()
        file.write_bytes(file.read_text().replace(old, new).encode())

    return with_startup(edit)


def setting(file: str, edit: Callable[[Any], object], kit: str = SITE) -> Callable[[World, pytest.MonkeyPatch], object]:
    """An edit of a file in local/."""
    return in_world(lambda world: change(world.kits / kit / "local" / file, edit))
