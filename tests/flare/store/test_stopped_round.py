from __future__ import annotations

from pathlib import Path

import pytest

from fedaid.flare.store.missed_phases import MISSED, RETRIES
from fedaid.flare.store.stopped_round import ABSENCES, STOPPED, keep_absences, kept_absences

FOUND = {MISSED: [{"round": 2, "site": "lake"}], RETRIES: []}


def test_the_last_stop_is_read_until_a_later_round_is_committed(tmp_path: Path) -> None:
    assert kept_absences(tmp_path, 0) == {}
    keep_absences(tmp_path, 1, {MISSED: [], RETRIES: []})
    keep_absences(tmp_path, 2, FOUND)
    assert [kept_absences(tmp_path, committed) for committed in (1, 2, 3)] == [FOUND, FOUND, {}]


@pytest.mark.parametrize("file", [ABSENCES, "MANIFEST.json"])
@pytest.mark.parametrize("bit", [0, 100])
def test_a_damaged_file_is_not_read(tmp_path: Path, file: str, bit: int) -> None:
    keep_absences(tmp_path, 2, FOUND)
    path = tmp_path / STOPPED / file
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    assert kept_absences(tmp_path, 2) == {}


def test_a_disk_that_does_not_take_it_is_no_error(tmp_path: Path) -> None:
    keep_absences(tmp_path / "no folder", 2, FOUND)
    assert kept_absences(tmp_path / "no folder", 2) == {}
