"""A healthy hospital and a spoilt one, each looked at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from admin.site.doctor.collection import Collected, collect
from admin.site.doctor.examination import Result, examine
from admin.twin.consortia import FIVE_HOSPITALS
from admin.twin.consortium import write_consortium
from admin.twin.faults.planted import spoil

HOSPITAL = FIVE_HOSPITALS[2]  # its files state a window, and its polarity is mixed
STUDIES, SIDE = 110, 96


@dataclass(frozen=True)
class Visit:
    """A site, fault → studies that have it, and what the doctor makes of it."""

    root: Path
    planted: Mapping[str, tuple[str, ...]]
    collected: Collected
    results: tuple[Result, ...]

    @property
    def fired(self) -> dict[str, Result]:
        """Check → its result, of those that fire."""
        return {result.check.name: result for result in self.results if result.found.fired}


def visit(root: Path, *, spoilt: bool) -> Visit:
    """Write a hospital, spoil it, and look at it."""
    write_consortium(root, hospitals=[replace(HOSPITAL, studies=STUDIES)], seed=4, image_size=SIDE)
    site = root / HOSPITAL.name
    planted = spoil(site, seed=3, copies=1) if spoilt else {}
    collected = collect(site, root)
    return Visit(site, planted, collected, examine(collected.evidence))


@pytest.fixture(scope="session")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Visit:
    """A hospital without a planted fault."""
    return visit(tmp_path_factory.mktemp("healthy"), spoilt=False)


@pytest.fixture(scope="session")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> Visit:
    """The same hospital with one of each fault."""
    return visit(tmp_path_factory.mktemp("spoilt"), spoilt=True)
