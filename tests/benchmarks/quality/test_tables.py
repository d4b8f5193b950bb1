from __future__ import annotations

import json
from pathlib import Path

import pytest

from admin.study.compare.summary_table import table
from tests.admin.study.compare.test_summary_table import APART, summary
from tests.benchmarks.quality import tables as quality_tables
from tests.benchmarks.quality.tables import parts_table, short_table, sites_table


def test_what_a_part_adds_is_the_method_with_it_before_the_one_without() -> None:
    held_out = {"others": {"low": -3.0, "mid": 2.0, "high": 4.0}}
    without = summary(30, 42, difference_to_fedaid={**APART, "held_out": held_out})
    lines = parts_table("twin", {"fedaid": summary(25, 41), "fedaid_no_binding": without, "local": summary(1, 2)})
    assert lines.splitlines()[2:] == [
        "| `fedaid_no_binding` | -5.0 (-11.0 to +1.0) | -1.0 (-1.5 to -0.5) | -2.0 (-4.0 to +3.0) |"
    ]


def test_a_method_that_a_set_lacks_has_no_numbers_there() -> None:
    sets = {"twin": {"fedavg": summary(20, 40), "moon": summary(21, 39)}, "real": {"fedavg": summary(22, 30)}}
    sets |= {"noisy": {}}  # all of it failed
    assert short_table(sets).splitlines()[2:] == [
        "| `moon` | 21.0 (20–22) | 39.0 (38–40) | – | – |",
        "| `fedavg` | 20.0 (19–21) | 40.0 (39–41) | 22.0 (21–23) | 30.0 (29–31) |",
        "| a blind guess | 5.0 | 6.0 | 5.0 | 6.0 |",
    ]


def test_each_site_is_told_what_it_has_alone_and_what_it_gains_by_joining() -> None:
    sites = {"a": {"low": 70.0, "mid": 80.0, "high": 90.0}}
    gain = {"a": {"low": -1.0, "mid": 2.0, "high": 3.0}}
    methods = {
        "local": summary(1, 2, sites=sites, difference_to_fedaid={**APART, "sites": gain}),
        "fedavg": summary(1, 2, sites=sites),
        "fedaid": summary(1, 2, sites=sites, difference_to_fedavg={**APART, "sites": gain}),
    }
    lines = sites_table("twin", methods).splitlines()
    assert lines[0] == "| twin: site | local | fedavg | fedaid | fedaid − local | fedaid − fedavg |"
    assert lines[2] == "| a | 80.0 | 80.0 | 80.0 | -2.0 (-3.0 to +1.0) | +2.0 (-1.0 to +3.0) |"


def test_a_benchmark_s_file_has_its_tables_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    methods = {"fedavg": summary(20, 40, difference_to_fedaid={**APART, "held_out": {}}), "fedaid": summary(25, 41)}
    content = {"sets": {"noisy": methods}, "equal_time": {"noisy": methods}}
    (tmp_path / "quality.json").write_text(json.dumps(content))
    quality_tables.main([str(tmp_path / "quality.json")])
    printed = capsys.readouterr().out
    assert table("noisy", methods) in printed
    assert [line for line in printed.splitlines() if line.startswith("###")] == [
        "### noisy, equal compute",
        "### noisy, equal time",
    ]
