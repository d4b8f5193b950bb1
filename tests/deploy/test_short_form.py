"""The short form of ``make bench-deploy`` in one process."""

from __future__ import annotations

import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import save_file

from hospital_policy.site_record import SiteRecord
from tests.deploy import damaged_ledgers
from tests.deploy.canaries import members
from tests.deploy.damaged_ledgers import undetected
from tests.deploy.egress import stated
from tests.deploy.misconfigurations import TEST, counted
from tests.deploy.ways import Ways

RESULT = """<testsuites><testsuite><testcase name="test_a[half a file]"/>
<testcase name="test_a[open key]"><failure message="assert"/></testcase></testsuite></testsuites>"""


def test_a_misconfiguration_that_is_not_found_is_named(tmp_path: Path) -> None:
    (tmp_path / "faults.xml").write_text(RESULT)
    outcome = counted(tmp_path / "faults.xml")
    assert (outcome.misconfigurations_found, outcome.misconfigurations_planted) == (1, 2)
    assert outcome.failures == ("not found: test_a[open key]",)


def test_a_series_that_could_plant_nothing_has_failed(tmp_path: Path) -> None:
    assert counted(tmp_path / "no file").failures


def test_the_planted_faults_are_where_the_series_looks_for_them() -> None:
    file, _, name = TEST.partition("::")
    assert f"def {name}(" in Path(file).read_text(encoding="utf-8")


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    """A kit with a ledger of four lines."""
    record = SiteRecord(tmp_path / "kit")
    for number in range(3):
        record.add({"kind": "update", "task": "align", "round": number, "bytes": 10, "keys": ["w"]})
    record.add({"kind": "blocked", "reason": "event"})
    return tmp_path / "kit"


def test_every_damage_of_a_ledger_is_found(kit: Path, tmp_path: Path) -> None:
    assert undetected(kit, tmp_path) == (4 * 7 - 1 + 3, [])


def test_a_check_that_finds_nothing_is_noticed(kit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(damaged_ledgers, "examine_ledger", lambda folder: SimpleNamespace(problems=[]))
    tried, silent = undetected(kit, tmp_path)
    assert len(silent) == tried


def test_an_answer_without_a_line_is_counted() -> None:
    lines = [
        {"kind": "update", "task": "align", "round": 0},
        {"kind": "metrics", "task": "validate", "round": 1},
        {"kind": "error", "task": "align", "round": 1},
    ]
    assert sorted(stated({"a": lines})) == [("a", "align", 1), ("a", "validate", 0)]


def test_another_model_is_told_with_its_largest_difference(tmp_path: Path) -> None:
    ways = Ways(tmp_path, ("a",), failures=["three: RuntimeError: away"], tried=4)
    for way, value in (("one", 1.0), ("two", 1.0), ("other", 1.5)):
        (tmp_path / way).mkdir()
        save_file({"w": np.array([0.0, value], np.float32)}, tmp_path / way / "model.safetensors")
        ways.found[way] = tmp_path / way / "model.safetensors"
    assert ways.equal() == ["one", "two"]
    assert ways.differences() == ["three: RuntimeError: away", "other: the largest difference is 0.5, in w"]


def test_if_every_way_fails_each_is_told(tmp_path: Path) -> None:
    def fails(folder: Path) -> Path:
        raise RuntimeError(f"{folder.name} away")

    ways = Ways(tmp_path, ("a",))
    for way in ("one", "two"):
        ways.add(way, fails)
    assert ways.equal() == []
    assert ways.differences() == ["one: RuntimeError: way-1 away", "two: RuntimeError: way-2 away"]


def test_a_name_in_a_compressed_file_is_found(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "job", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("log.txt", "patient Zqname " * 50)
    assert b"Zqname" not in (tmp_path / "job").read_bytes()
    assert {hit.canary for hit in members(tmp_path / "job", ("Zqname", "Zqother"))} == {"Zqname"}
