"""The short form of ``make bench-deploy``; series with a federation are part of tests/integration."""

from __future__ import annotations

from pathlib import Path

from tests.deploy.settings.misconfigurations import TEST, counted

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
