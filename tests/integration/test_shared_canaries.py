"""What the doctor shares and prints names nobody, with every count shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.catalogue.canaries import Hit, scan
from tests.catalogue.shared_canaries import PLANTED, shared_canary_hits

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared_canaries")


@pytest.fixture(scope="module")
def hits(folder: Path) -> list[Hit]:
    return shared_canary_hits(folder)


def test_no_canary_is_in_the_shareable_result_nor_in_what_was_printed(hits: list[Hit]) -> None:
    assert hits == []


def test_the_doctor_saw_them(hits: list[Hit], folder: Path) -> None:
    assert {hit.canary for hit in scan(folder / "own", PLANTED)} >= set(PLANTED)
    assert len({hit.canary for hit in scan(folder / "of-own" / "private", PLANTED)}) > 3
    for site in ("own", "prepared"):
        assert json.loads((folder / f"of-{site}" / "shareable" / "doctor.json").read_text(encoding="utf-8"))
